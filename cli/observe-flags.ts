import { type Command, Option } from 'commander';
import { filterField } from '#core/filter/fields.ts';
import { FILTER_FLAGS, flagToken } from '#core/observe/flag-names.ts';
import { type GivenFlag, HUBBLE_FLAGS } from '#core/observe/hubble-filter.ts';

const HUBBLE_FLAG_NAMES = new Set(HUBBLE_FLAGS.map(({ name }) => name));

/** Flags of filters that only we have. */
const OWN_FLAGS = FILTER_FLAGS.filter(({ name }) => !HUBBLE_FLAG_NAMES.has(name));

/** One option per filter flag: those of `hubble observe`, and those for what only we can ask. */
export function filterOptions(): Option[] {
  const hubble = HUBBLE_FLAGS.map(({ name, short, value, doc }) => {
    const option = new Option(
      `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` <${value}>`}`,
      doc,
    );
    return value === undefined ? option : option.argParser(repeated);
  });
  const own = OWN_FLAGS.map(({ name, side, field }) => {
    const doc =
      side === 'any' ? filterField(field)!.doc : `the same, of the ${side === 'from' ? 'sender' : 'receiver'} only`;
    return new Option(`--${name} <values>`, doc).argParser(repeated);
  });
  return [...hubble, new Option('--not', 'turns the next filter around'), ...own];
}

const repeated = (value: string, before: string[] = []) => [...before, value];

/** Notes filters in the order in which they are given: `--not` is about the next one. */
export function noteFilters(command: Command): GivenFlag[] {
  const given: GivenFlag[] = [];
  let negated = false;
  command.on('option:not', () => {
    if (negated) command.error('error: two --not in a row');
    negated = true;
  });
  for (const flag of HUBBLE_FLAGS) {
    command.on(`option:${flag.name}`, (value: string | null) => {
      given.push({ flag, value: value ?? '', negated });
      negated = false;
    });
  }
  return given;
}

/** Whether the flags ask for something that only our own filters have. */
export function asksOwnFilters(flags: Readonly<Record<string, unknown>>): boolean {
  return OWN_FLAGS.some(({ name }) => flags[optionKey(name)] !== undefined);
}

/** Names of Hubble's filter flags that were given and that our own filters have no word for. */
export function flagsWithoutToken(given: readonly GivenFlag[]): string[] {
  const known = new Set(FILTER_FLAGS.map(({ name }) => name));
  return given.filter(({ flag, negated }) => negated || !known.has(flag.name)).map(({ flag }) => flag.name);
}

/**
 * The tokens that flags and free words stand for. A flag given twice is like one with both values. A bare pod name is one
 * of namespace `default`, as everywhere among the flags.
 */
export function filterTokens(flags: Readonly<Record<string, unknown>>, words: readonly string[]): string[] {
  const tokens = [...words];
  for (const flag of FILTER_FLAGS) {
    const values = flags[optionKey(flag.name)];
    if (!Array.isArray(values)) continue;
    const named = flag.field === 'pod' ? values.flatMap((value: string) => value.split(',').map(qualified)) : values;
    tokens.push(flagToken(flag, named));
  }
  return tokens;
}

function qualified(pod: string): string {
  return pod.includes('/') ? pod : `default/${pod}`;
}

function optionKey(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
