import { filterField } from '#core/filter/fields.ts';
import type { FilterError } from '#core/filter/filter.ts';
import { parseFilter } from '#core/filter/parse-filter.ts';
import { printTerm } from '#core/filter/print-filter.ts';

/** What is wrong with a token; undefined when it is good. */
export function tokenError(token: string): FilterError | undefined {
  return parseFilter([token]).errors[0];
}

export function isValidToken(token: string): boolean {
  return tokenError(token) === undefined;
}

/** A token in its one form, as the server names it; one that cannot be read stays as it is. */
export function canonicalToken(token: string): string {
  const [term] = parseFilter([token]).filter.terms;
  return term === undefined ? token : printTerm(term);
}

/** Why a token holds for no flow, whatever its value; undefined where it may. */
export function whyUnobserved(token: string): string | undefined {
  const [term] = parseFilter([token]).filter.terms;
  return term && filterField(term.field)?.unobserved;
}

/** A word that begins a filter: `!from:ns=shop`; `label`, whose value is the next word. */
const BEGINS = /^!?(?:(?:from|to):)?!?([a-z.-]+)(!?=|$)/i;
const LABEL = /(?:^|[!:])labels?$/i;

/**
 * Splits what was typed or pasted: a comma with a space after it parts tokens, one without parts values; so does a space before
 * another filter, or a comma before one. A token in quotes, as a shell has it, is what stands between them.
 */
export function splitTokens(text: string): string[] {
  return text
    .split(/,\s/)
    .flatMap(splitWords)
    .flatMap(splitCommas)
    .map((token) => token.replace(/^(["'])(.*)\1$/, '$2'))
    .filter((token) => token !== '');
}

/** `port=80,proto=udp`: no port is called so. Labels may be: `label app=web,port=80` is one filter. */
function splitCommas(token: string): string[] {
  const pieces: string[] = [];
  for (const piece of token.split(',')) {
    const [, name, end] = BEGINS.exec(piece) ?? [];
    const begins = name !== undefined && end !== '' && filterField(name) !== undefined;
    const ofLabel = LABEL.test(/^[!:a-z.-]+/i.exec(pieces.at(-1) ?? '')?.[0] ?? '');
    if (pieces.length === 0 || (begins && !ofLabel)) pieces.push(piece);
    else pieces.push(`${pieces.pop()},${piece}`);
  }
  return pieces;
}

function splitWords(text: string): string[] {
  const tokens: string[] = [];
  let before = '';
  for (const word of text.trim().split(/\s+/)) {
    const [, name, end] = BEGINS.exec(word) ?? [];
    const begins = name !== undefined && (end === '' ? LABEL.test(word) : filterField(name) !== undefined);
    if (before === '' || (begins && !LABEL.test(before) && !/[!:]$/.test(before))) tokens.push(word);
    else tokens.push(`${tokens.pop()} ${word}`);
    before = word;
  }
  return tokens;
}
