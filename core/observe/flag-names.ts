import { FILTER_FIELDS, filterField } from '../filter/fields.ts';
import type { FilterSide } from '../filter/filter.ts';

/** Filter fields by the flags of `hubble observe` that ask for them, where those have other names. */
const FLAG_NAMES: Readonly<Record<string, string>> = {
  ns: 'namespace',
  dns: 'fqdn',
  proto: 'protocol',
  reason: 'drop-reason',
  node: 'node-name',
  'tcp-flag': 'tcp-flags',
  direction: 'traffic-direction',
};

/** A flag of `waggle observe` that stands for a filter. */
export interface FilterFlag {
  /** Without dashes: `from-pod`. */
  readonly name: string;
  readonly side: FilterSide;
  readonly field: string;
}

/** One flag per filter field, and one for each of its sides: made from the fields' table, so that none is missing. */
export const FILTER_FLAGS: readonly FilterFlag[] = FILTER_FIELDS.flatMap(({ name: field, sided }) =>
  (sided ? (['any', 'from', 'to'] as const) : (['any'] as const)).map((side) => ({
    name: flagName(field, side),
    side,
    field,
  })),
);

function flagName(field: string, side: FilterSide): string {
  // Names of HTTP and other layers hold dots, which flags do not.
  const flag = (FLAG_NAMES[field] ?? field).replaceAll('.', '-');
  return side === 'any' ? flag : `${side}-${flag}`;
}

/** The token that a flag with these values stands for. */
export function flagToken({ side, field }: FilterFlag, values: readonly string[]): string {
  return `${side === 'any' ? '' : `${side}:`}${field}${filterField(field)!.separator}${values.join(',')}`;
}
