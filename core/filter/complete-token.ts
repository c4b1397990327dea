import { FILTER_FIELDS, filterField } from './fields.ts';

export interface Completion {
  /** The whole token as it would then read. */
  readonly token: string;
  readonly doc: string;
}

/** What is known beside the table: names to offer for a field, by its name (`ns`, `pod`, ...). */
export type KnownValues = Readonly<Record<string, readonly string[]>>;

/** What could come next in a token of which this much is written, best first. */
export function completeToken(text: string, known: KnownValues = {}, limit = 20): Completion[] {
  const prefix = /^\s*(?:!\s*)?(?:(?:from|to):)?\s*(?:!\s*)?/i.exec(text)![0];
  const rest = text.slice(prefix.length);
  const cut = rest.search(/[= ]/);
  if (cut < 0) return fieldCompletions(prefix.trimStart(), rest.toLowerCase()).slice(0, limit);
  const field = filterField(rest.slice(0, cut));
  if (field === undefined) return [];
  const comma = rest.lastIndexOf(',');
  const valueAt = comma > cut ? comma + 1 : cut + 1;
  const typed = rest.slice(valueAt).trimStart().toLowerCase();
  const values = [...field.choices, ...(Object.hasOwn(known, field.name) ? known[field.name] : [])];
  const head = prefix.trimStart() + rest.slice(0, valueAt);
  const begins = values.filter((value) => value.toLowerCase().startsWith(typed));
  const contains = values.filter((value) => !begins.includes(value) && value.toLowerCase().includes(typed));
  return [...begins, ...contains].slice(0, limit).map((value) => ({ token: head + value, doc: field.doc }));
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
