import type { FlowColumns } from '../flow/columns.ts';

/** Decides one row of columns. */
export type RowPredicate = (columns: FlowColumns, row: number) => boolean;

export const pass: RowPredicate = () => true;

/** True when every predicate is; true for none. */
export function all(predicates: readonly RowPredicate[]): RowPredicate {
  if (predicates.length === 0) return pass;
  const [first, second, third] = predicates;
  // Filters are short, and run for every row that is held.
  if (predicates.length === 1) return first;
  if (predicates.length === 2) return (columns, row) => first(columns, row) && second(columns, row);
  if (predicates.length === 3) {
    return (columns, row) => first(columns, row) && second(columns, row) && third(columns, row);
  }
  return (columns, row) => {
    for (const predicate of predicates) if (!predicate(columns, row)) return false;
    return true;
  };
}

/** True when one predicate is; false for none. */
export function any(predicates: readonly RowPredicate[]): RowPredicate {
  if (predicates.length === 1) return predicates[0];
  return (columns, row) => {
    for (const predicate of predicates) if (predicate(columns, row)) return true;
    return false;
  };
}

export function not(predicate: RowPredicate): RowPredicate {
  return (columns, row) => !predicate(columns, row);
}
