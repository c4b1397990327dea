import { filterField } from './fields.ts';
import type { Filter, FilterTerm } from './filter.ts';

/** The tokens that parse to this filter. */
export function printFilter(filter: Filter): string[] {
  return filter.terms.map(printTerm);
}

export function printTerm(term: FilterTerm): string {
  const separator = filterField(term.field)?.separator ?? '=';
  const side = term.side === 'any' ? '' : `${term.side}:`;
  return `${term.negated ? '!' : ''}${side}${term.field}${separator}${term.values.join(',')}`;
}

/** Equal for filters that differ only in the order in which their terms and values stand. */
export function filterKey(filter: Filter): string {
  const tokens = filter.terms.map((term) => printTerm({ ...term, values: term.values.toSorted() }));
  return [...new Set(tokens)].sort().join('\n');
}
