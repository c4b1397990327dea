import { Option } from 'commander';
import { FILTER_FIELDS, filterField } from '#core/filter/fields.ts';

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

interface FilterFlag {
  /** Without dashes: `from-pod`. */
  readonly name: string;
  readonly side: '' | 'from' | 'to';
  readonly field: string;
}

/** One flag per filter field, and one for each of its sides: made from core's table, so that none is missing. */
const FILTER_FLAGS: readonly FilterFlag[] = FILTER_FIELDS.flatMap(({ name: field, sided }) =>
  (sided ? (['', 'from', 'to'] as const) : ([''] as const)).map((side) => {
    const flag = FLAG_NAMES[field] ?? field;
    return { name: side === '' ? flag : `${side}-${flag}`, side, field };
  }),
);

export function filterOptions(): Option[] {
  return FILTER_FLAGS.map(({ name, side, field }) => {
    const doc =
      side === '' ? filterField(field)!.doc : `the same, of the ${side === 'from' ? 'sender' : 'receiver'} only`;
    return new Option(`${name === 'namespace' ? '-n, ' : ''}--${name} <values>`, doc).argParser(
      (value: string, before: string[] = []) => [...before, value],
    );
  });
}

/** The tokens that flags and free words stand for. A flag given twice is like one with both values. */
export function filterTokens(flags: Readonly<Record<string, unknown>>, words: readonly string[]): string[] {
  const tokens = [...words];
  for (const { name, side, field } of FILTER_FLAGS) {
    const values = flags[name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
    if (!Array.isArray(values)) continue;
    tokens.push(`${side === '' ? '' : `${side}:`}${field}${filterField(field)!.separator}${values.join(',')}`);
  }
  return tokens;
}
