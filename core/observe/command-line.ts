import { filterField } from '../filter/fields.ts';
import type { FilterTerm } from '../filter/filter.ts';
import { parseFilter } from '../filter/parse-filter.ts';
import { printTerm } from '../filter/print-filter.ts';
import { FILTER_FLAGS } from './flag-names.ts';

export interface ObservedView {
  /** Flows with one end in one of these; empty = all. */
  readonly namespaces: readonly string[];
  /** Filter tokens, ANDed. Those that cannot be read are left out, as the page does. */
  readonly filter: readonly string[];
  /** How many past flows to begin with. */
  readonly last?: number;
  /** Go on with flows as they happen. */
  readonly follow?: boolean;
}

/**
 * The words of a `waggle observe` command that shows the same flows. A filter is told by its flag where there is one; a
 * negated filter, and a second one of the same kind (a flag given twice means alternatives), as a word of its own.
 */
export function observeArguments({ namespaces, filter, last, follow = false }: ObservedView): string[] {
  const words = ['waggle', 'observe'];
  const free: string[] = [];
  const flagged = new Map<string, FilterTerm>();
  const ask = (token: string) => {
    const [term] = parseFilter([token]).filter.terms;
    if (term === undefined) return;
    const flag = FILTER_FLAGS.find(({ field, side }) => field === term.field && side === term.side);
    if (flag === undefined || term.negated || flagged.has(flag.name)) free.push(printTerm(term));
    else flagged.set(flag.name, term);
  };
  if (namespaces.length > 0) ask(`ns${filterField('ns')!.separator}${namespaces.join(',')}`);
  for (const token of filter) ask(token);
  // Flags alone are read as Hubble reads them. Where that is not what the page means, one filter becomes a word: beside a
  // word, flags mean what they mean in the page.
  const terms = [...flagged];
  if (free.length === 0 && !hubbleReadsAlike(terms.map(([, term]) => term))) {
    const [name, term] = terms.at(-1)!;
    flagged.delete(name);
    free.push(printTerm(term));
  }
  for (const [name, { field, values }] of flagged) {
    const value = values.map((one) => (field === 'pod' && !one.includes('/') ? `/${one}` : one)).join(',');
    if (value.startsWith('-')) words.push(`--${name}=${value}`);
    else words.push(`--${name}`, value);
  }
  if (last !== undefined) words.push('--last', String(last));
  if (follow) words.push('--follow');
  return [...words, ...free];
}

/** Fields whose plain values mean the same to Hubble. */
const HUBBLE_FIELDS = new Set(['ns', 'pod', 'verdict', 'ip', 'port', 'proto', 'direction']);

/** Hubble asks what is said of either end of one and the same end, and knows no wildcards in names. */
function hubbleReadsAlike(terms: readonly FilterTerm[]): boolean {
  const ofEitherEnd = terms.filter(({ field, side }) => side === 'any' && filterField(field)?.sided);
  if (ofEitherEnd.length > 1) return false;
  return terms.every(
    ({ field, values }) => HUBBLE_FIELDS.has(field) && values.every((value) => isOfHubble(field, value)),
  );
}

/** Hubble has no ranges of ports, and of what it has a name for, it takes nothing else. */
function isOfHubble(field: string, value: string): boolean {
  if (field === 'port') return !value.includes('-');
  if (field === 'proto' || field === 'verdict' || field === 'direction') return !/^\d+$/.test(value);
  return !value.includes('*');
}

/** The same as one line for a POSIX shell. */
export function observeCommandLine(view: ObservedView): string {
  return observeArguments(view).map(shellQuoted).join(' ');
}

const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** A word as any POSIX shell reads it back: in single quotes, where nothing has a meaning but the quote itself. */
export function shellQuoted(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
