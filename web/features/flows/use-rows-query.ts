import { useEffect, useMemo } from 'react';
import { queryRows } from '../../live/session-client.ts';
import type { TableOptions } from '../../view/table-options.ts';
import type { RowsQuery, Selection } from '../../worker/protocol.ts';

/** Rows asked for beyond those in view, on either side. */
const MARGIN = 60;
const CHUNK = 60;

/** Tells the session which rows the table shows, and returns that. `anchor`: of rows that hold still, else null. */
export function useRowsQuery(
  selection: Selection | null,
  { sort, aggregate: group }: TableOptions,
  anchor: number | null,
  from: number,
  to: number,
): RowsQuery {
  // In steps, so that a small scroll asks for nothing new.
  const first = Math.max(0, Math.floor((from - MARGIN) / CHUNK) * CHUNK);
  const count = Math.ceil((to + MARGIN - first) / CHUNK) * CHUNK;
  const query = useMemo<RowsQuery>(
    () => ({ selection, sort, group, anchor, first, count }),
    [selection, sort, group, anchor, first, count],
  );
  useEffect(() => queryRows(query), [query]);
  return query;
}
