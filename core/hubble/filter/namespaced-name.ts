import { FlowFilterError } from './filter-part.ts';

/** What objects of a kind are asked for; empty parts mean any. */
export interface NamespacedPrefix {
  readonly namespace: string;
  readonly prefix: string;
}

/**
 * Reads `namespace/prefix`, `namespace/`, `/prefix`, and a bare prefix as one of namespace `default`.
 * @throws FlowFilterError that names `field` where one is empty
 */
export function readNames(values: readonly string[], field: string): NamespacedPrefix[] {
  return values.map((value) => {
    if (value === '') throw new FlowFilterError(field, value, 'is empty: expected namespace/name');
    const [first, second] = value.split('/', 2);
    return second === undefined ? { namespace: 'default', prefix: first } : { namespace: first, prefix: second };
  });
}

/** False for what has neither namespace nor name. */
export function matchesName(names: readonly NamespacedPrefix[], namespace: string, name: string): boolean {
  if (namespace === '' && name === '') return false;
  return names.some(
    (wanted) => name.startsWith(wanted.prefix) && (wanted.namespace === '' || wanted.namespace === namespace),
  );
}
