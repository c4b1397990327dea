import { all, not, type RowPredicate } from './algebra.ts';
import { memoised } from './endpoint-predicate.ts';
import { filterField } from './fields.ts';
import type { Filter } from './filter.ts';
import type { FilterTables } from './filter-field.ts';

export type { RowPredicate } from './algebra.ts';

/**
 * Turns a parsed filter into a question about rows whose `source`, `destination` and `node` are numbers of these tables.
 * What is known about endpoints is looked at once per endpoint, not per flow.
 */
export function compileFilter(filter: Filter, tables: FilterTables): RowPredicate {
  const compiled = filter.terms.map((term) => {
    const field = filterField(term.field);
    if (field === undefined) throw new RangeError(`"${term.field}" is not a filter field`);
    const predicate = field.compile(term.values, term.side, tables);
    return { predicate: term.negated ? not(predicate) : predicate, looksUp: field.live?.of === 'endpoint' };
  });
  // A look at the row's own numbers is cheaper than one at what its numbers stand for.
  const ordered = compiled.sort((a, b) => Number(a.looksUp) - Number(b.looksUp));
  return all(ordered.map(({ predicate }) => predicate));
}

/** Rows with one end in one of these namespaces, named exactly; every row when there are none. */
export function compileNamespaces(namespaces: readonly string[], tables: FilterTables): RowPredicate {
  if (namespaces.length === 0) return all([]);
  const wanted = new Set(namespaces);
  const inside = memoised(tables.endpoints, (endpoint) => wanted.has(endpoint.namespace));
  return (columns, row) => inside(columns.source[row]) || inside(columns.destination[row]);
}
