import { FILTER_FIELDS, filterField } from './fields.ts';
import { FILTER_LIMITS, type Filter, type FilterError, type FilterSide, type FilterTerm } from './filter.ts';

/**
 * Reads tokens such as `from:pod=shop/web`, `label app=web`, `!port=80,443`. The filter holds every token that could
 * be read; each one that could not has an error that says where. Time and memory are linear in the input.
 */
export function parseFilter(tokens: readonly string[]): { filter: Filter; errors: FilterError[] } {
  const terms: FilterTerm[] = [];
  const errors: FilterError[] = [];
  for (const [index, token] of tokens.entries()) {
    if (index >= FILTER_LIMITS.tokens) {
      errors.push({ token: index, start: 0, end: token.length, message: `more than ${FILTER_LIMITS.tokens} filters` });
      break;
    }
    const parsed = parseToken(token);
    if ('field' in parsed) terms.push(parsed);
    else errors.push({ token: index, ...parsed });
  }
  return { filter: { terms }, errors };
}

type TokenError = Omit<FilterError, 'token'>;

function parseToken(token: string): FilterTerm | TokenError {
  if (token.length > FILTER_LIMITS.tokenLength) {
    return {
      start: FILTER_LIMITS.tokenLength,
      end: token.length,
      message: `a filter has at most ${FILTER_LIMITS.tokenLength} characters`,
    };
  }
  let at = skipSpace(token, 0);
  let negated = false;
  let side: FilterSide = 'any';
  let sideAt = at;
  for (;;) {
    if (token[at] === '!') {
      if (negated) return { start: at, end: at + 1, message: '"!" stands here twice' };
      negated = true;
      at = skipSpace(token, at + 1);
      continue;
    }
    const prefix = /^(from|to):/i.exec(token.slice(at, at + 5))?.[1].toLowerCase() as 'from' | 'to' | undefined;
    if (prefix === undefined) break;
    if (side !== 'any')
      return { start: at, end: at + prefix.length + 1, message: '"from:" or "to:" stands here twice' };
    side = prefix;
    sideAt = at;
    at = skipSpace(token, at + prefix.length + 1);
  }
  const nameEnd = scanName(token, at);
  const name = token.slice(at, nameEnd);
  if (name === '') return { start: at, end: Math.max(token.length, at + 1), message: `expected ${fieldNames()}` };
  const field = filterField(name);
  if (field === undefined) {
    return { start: at, end: nameEnd, message: `"${name}" is not a filter; there are ${fieldNames()}` };
  }
  if (side !== 'any' && !field.sided) {
    return { start: sideAt, end: at, message: `"${side}:" makes no sense before ${field.name}` };
  }
  let valuesAt = skipSpace(token, nameEnd);
  // `port!=80`, as most other tools write it.
  if (token[valuesAt] === '!' && token[valuesAt + 1] === '=') {
    if (negated) return { start: valuesAt, end: valuesAt + 1, message: '"!" stands here twice' };
    negated = true;
    valuesAt++;
  }
  // `label app=web` separates by a space; `label=app=web` is understood too.
  const separated =
    token[valuesAt] === '=' ? valuesAt + 1 : field.separator === ' ' && valuesAt > nameEnd ? valuesAt : -1;
  if (separated < 0) {
    return { start: nameEnd, end: token.length, message: `expected a value, as in ${field.example}` };
  }
  const values = new Set<string>();
  let start = separated;
  for (const piece of token.slice(separated).split(',')) {
    const end = start + piece.length;
    const text = piece.trim();
    if (text === '')
      return { start, end: Math.max(end, start + 1), message: `expected a value, as in ${field.example}` };
    const canonical = field.canonical(text);
    if ('problem' in canonical) {
      const textAt = start + piece.indexOf(text);
      return { start: textAt, end: textAt + text.length, message: canonical.problem };
    }
    values.add(canonical.value);
    if (values.size > FILTER_LIMITS.values) {
      return { start, end: token.length, message: `a filter has at most ${FILTER_LIMITS.values} values` };
    }
    start = end + 1;
  }
  return { field: field.name, side, negated, values: [...values] };
}

function scanName(token: string, from: number): number {
  let at = from;
  while (at < token.length && /[A-Za-z.-]/.test(token[at])) at++;
  return at;
}

function skipSpace(token: string, from: number): number {
  let at = from;
  while (at < token.length && /\s/.test(token[at])) at++;
  return at;
}

function fieldNames(): string {
  return FILTER_FIELDS.map((field) => field.name).join(', ');
}
