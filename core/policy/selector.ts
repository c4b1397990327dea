/**
 * A selector over one flat set of labels. What a policy can select by stands under keys that cannot be mistaken for each
 * other, whatever a pod's author writes into its labels:
 *
 *     pod:<key>         a label of the pod
 *     namespace:<key>   a label of its namespace
 *     in:namespace      the namespace's name; in:cluster, in:serviceaccount likewise. Every pod has them, nobody else has.
 *     reserved:<name>   what stands for no pod: reserved:host, reserved:world, ...
 *
 * Requirements have Kubernetes' meaning: all must hold; NotIn and DoesNotExist also hold where the label is absent.
 */
export interface Selector {
  readonly requirements: readonly Requirement[];
  /** Equal keys = equal selectors. */
  readonly key: string;
}

export type SelectorOperator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';

export interface Requirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  /** Sorted, without repeats; empty for Exists and DoesNotExist. */
  readonly values: readonly string[];
}

export type Labels = ReadonlyMap<string, string>;

export const POD_LABEL = 'pod:';
export const NAMESPACE_LABEL = 'namespace:';
export const RESERVED_LABEL = 'reserved:';
export const IN_NAMESPACE = 'in:namespace';
export const IN_CLUSTER = 'in:cluster';
export const IN_SERVICE_ACCOUNT = 'in:serviceaccount';

export function requirement(key: string, operator: SelectorOperator, values: readonly string[] = []): Requirement {
  return { key, operator, values: [...new Set(values)].sort() };
}

/** Selectors with the same requirements, in whatever order, have the same `key`. */
export function selector(requirements: readonly Requirement[]): Selector {
  const texts = requirements.map((entry) => JSON.stringify([entry.key, entry.operator, entry.values]));
  return { requirements, key: [...new Set(texts)].sort().join() };
}

/** Whether labels fulfil all requirements; none select everything. */
export function selects({ requirements }: Selector, labels: Labels): boolean {
  for (const entry of requirements) if (!holds(entry, labels)) return false;
  return true;
}

/** As Kubernetes has it: `NotIn` also holds where the label is missing. */
export function holds({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = labels.get(key);
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

const OPERATOR_TEXT = { In: 'in', NotIn: 'not in' } as const;

/** For people: `role=frontend in namespace stars`, `any pod of namespace stars`. */
export function selectorText({ requirements }: Selector): string {
  const rest: string[] = [];
  let where = '';
  for (const entry of requirements) {
    if (entry.key === IN_NAMESPACE && entry.operator === 'In') where = ` of namespace ${entry.values.join(' or ')}`;
    else if (entry.key !== IN_NAMESPACE || entry.operator !== 'Exists') rest.push(requirementText(entry));
  }
  return `${rest.length === 0 ? 'any pod' : rest.join(', ')}${where}`;
}

function requirementText({ key, operator, values }: Requirement): string {
  const name = key.startsWith(POD_LABEL) ? key.slice(POD_LABEL.length) : key.replace(/^(namespace|in):/, '$1 ');
  if (operator === 'Exists') return name;
  if (operator === 'DoesNotExist') return `no ${name}`;
  if (operator === 'In' && values.length === 1) return values[0] === '' ? name : `${name}=${values[0]}`;
  return `${name} ${OPERATOR_TEXT[operator]} (${values.join(', ')})`;
}
