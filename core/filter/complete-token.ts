import { FILTER_FIELDS, filterField } from './fields.ts';
import type { FilterSide } from './filter.ts';
import type { FilterField } from './filter-field.ts';

export interface Completion {
  /** The whole token as it would then read. */
  readonly token: string;
  readonly doc: string;
}

/** What is known beside the table: names to offer for a field, by its name (`ns`, `pod`, ...), best first. */
export type KnownValues = Readonly<Record<string, readonly string[]>>;

/** Where in a token somebody writes a value: which field and side it is of, and how much of it is there. */
export interface ValueBeingTyped {
  readonly field: FilterField;
  readonly side: FilterSide;
  readonly typed: string;
}

interface TokenBeingTyped {
  readonly prefix: string;
  readonly rest: string;
  readonly value?: ValueBeingTyped & { readonly head: string; readonly given: readonly string[] };
}

/** Undefined while the field itself is being written, or is none. */
export function valueBeingTyped(text: string): ValueBeingTyped | undefined {
  return read(text).value;
}

/** What could come next in a token of which this much is written, best first. */
export function completeToken(text: string, known: KnownValues = {}, limit = 20): Completion[] {
  const { prefix, rest, value } = read(text);
  if (value === undefined) {
    if (/[= ]/.test(rest)) return [];
    const fields = fieldCompletions(prefix, rest.toLowerCase());
    return [...fields, ...guesses(prefix, rest, fields.length === 0)].slice(0, limit);
  }
  const { field, head, given } = value;
  const typed = value.typed.toLowerCase();
  const live = Object.hasOwn(known, field.name) ? known[field.name] : [];
  const values = [...new Set([...live, ...field.choices])].filter((each) => !given.includes(each));
  const begins = values.filter((each) => each.toLowerCase().startsWith(typed));
  const contains = values.filter((each) => !begins.includes(each) && each.toLowerCase().includes(typed));
  return [...begins, ...contains].slice(0, limit).map((each) => ({ token: head + each, doc: '' }));
}

function read(text: string): TokenBeingTyped {
  const prefix = /^\s*(?:!\s*)?(?:(?:from|to):)?\s*(?:!\s*)?/i.exec(text)![0];
  const rest = text.slice(prefix.length);
  const token = { prefix: prefix.trimStart(), rest };
  const cut = rest.search(/[= ]/);
  const field = cut < 0 ? undefined : filterField(rest.slice(0, cut));
  if (field === undefined) return token;
  const comma = rest.lastIndexOf(',');
  const valueAt = comma > cut ? comma + 1 : cut + 1;
  const written = /(from|to):/i.exec(prefix)?.[1].toLowerCase();
  return {
    ...token,
    value: {
      field,
      side: written === 'from' || written === 'to' ? written : 'any',
      typed: rest.slice(valueAt).trimStart(),
      head: token.prefix + rest.slice(0, valueAt),
      given: rest.slice(cut + 1, valueAt).split(','),
    },
  };
}

function fieldCompletions(prefix: string, typed: string): Completion[] {
  const sided = /(from|to):/i.test(prefix);
  const fields = FILTER_FIELDS.filter((field) => field.name.startsWith(typed) && (!sided || field.sided));
  const completions = fields.map((field) => ({ token: `${prefix}${field.name}${field.separator}`, doc: field.doc }));
  if (sided || typed === '') return completions;
  const sides = [
    { token: `${prefix}from:`, doc: 'the sender of the flow' },
    { token: `${prefix}to:`, doc: 'the receiver of the flow' },
  ].filter(({ token }) => token.startsWith(prefix + typed));
  return [...completions, ...sides];
}

/** Letters of a word before the values that begin so are offered. */
const LEAST_LETTERS = 2;
/** What a word without a field is taken for, where that is no field's closed list: the first that can be. */
const NUMBERS = ['ip', 'port'];
const NAMES = ['pod', 'workload', 'ns', 'dns'];

/** What somebody may mean who writes a value alone: `dropped`, `10.0.0.1`, `80`, `frontend`. Names only where they are no field's. */
function guesses(prefix: string, word: string, isName: boolean): Completion[] {
  const typed = word.toLowerCase();
  if (typed.length < LEAST_LETTERS) return [];
  const sided = /(from|to):/i.test(prefix);
  const completions = FILTER_FIELDS.filter((field) => !sided || field.sided).flatMap((field) =>
    field.choices
      .filter((choice) => choice.startsWith(typed))
      .map((choice) => ({ token: `${prefix}${field.name}${field.separator}${choice}`, doc: field.doc })),
  );
  if (!isName) return completions;
  const as = (name: string): Completion[] => {
    const { doc, canonical } = filterField(name)!;
    return 'problem' in canonical(word) ? [] : [{ token: `${prefix}${name}=${word}`, doc }];
  };
  const range = rangeBeginning(word);
  if (range !== undefined) return [...completions, { token: `${prefix}ip=${range}`, doc: 'addresses that begin so' }];
  const number = NUMBERS.flatMap(as).slice(0, 1);
  return [...completions, ...(number.length > 0 ? number : NAMES.flatMap(as))];
}

/** Of the first parts of an IPv4 address, all that begin so: `10.96` is `10.96.0.0/16`. */
function rangeBeginning(word: string): string | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){1,2}\.?$|^\d{1,3}\.$/.test(word)) return undefined;
  const parts = word.split('.').filter((part) => part !== '');
  if (parts.some((part) => Number(part) > 255)) return undefined;
  return `${[...parts, 0, 0, 0].slice(0, 4).join('.')}/${parts.length * 8}`;
}
