import { Option } from 'commander';
import { filterField } from '#core/filter/fields.ts';
import { FILTER_FLAGS, flagToken } from '#core/observe/flag-names.ts';

export function filterOptions(): Option[] {
  return FILTER_FLAGS.map(({ name, side, field }) => {
    const doc =
      side === 'any' ? filterField(field)!.doc : `the same, of the ${side === 'from' ? 'sender' : 'receiver'} only`;
    return new Option(`${name === 'namespace' ? '-n, ' : ''}--${name} <values>`, doc).argParser(
      (value: string, before: string[] = []) => [...before, value],
    );
  });
}

/** The tokens that flags and free words stand for. A flag given twice is like one with both values. */
export function filterTokens(flags: Readonly<Record<string, unknown>>, words: readonly string[]): string[] {
  const tokens = [...words];
  for (const flag of FILTER_FLAGS) {
    const values = flags[flag.name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
    if (Array.isArray(values)) tokens.push(flagToken(flag, values));
  }
  return tokens;
}
