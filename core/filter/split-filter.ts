import type { Filter, FilterTerm } from './filter.ts';

/** A filter's terms by what they do: those that say what to show, and the negated ones, which hide something of it. */
export function splitFilter(filter: Filter): { shows: Filter; hides: readonly FilterTerm[] } {
  return {
    shows: { terms: filter.terms.filter(({ negated }) => !negated) },
    hides: filter.terms.filter(({ negated }) => negated),
  };
}
