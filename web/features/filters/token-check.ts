import type { FilterError } from '#core/filter/filter.ts';
import { parseFilter } from '#core/filter/parse-filter.ts';

/** What is wrong with a token; undefined when it is good. */
export function tokenError(token: string): FilterError | undefined {
  return parseFilter([token]).errors[0];
}

export function isValidToken(token: string): boolean {
  return tokenError(token) === undefined;
}

/** Splits what was typed or pasted: a comma with a space after it parts tokens, one without parts values. */
export function splitTokens(text: string): string[] {
  return text
    .split(/,\s+/)
    .map((token) => token.trim())
    .filter((token) => token !== '');
}
