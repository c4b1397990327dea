import { useEffect, useRef } from 'react';
import { queryRows, rowsStore } from '../../live/session-client.ts';
import type { Selection } from '../../worker/protocol.ts';

/** Rows asked for beyond those in view, on either side. */
const MARGIN = 60;
const CHUNK = 30;

/** Tells the session which rows the table shows. Held, the newest row stays the one that was newest when holding began. */
export function useRowsQuery(selection: Selection | null, held: boolean, from: number, to: number): void {
  const anchor = useRef<number | null>(null);
  if (!held) anchor.current = null;
  else anchor.current ??= rowsStore.get()?.anchor ?? null;
  // In steps, so that a small scroll asks for nothing new.
  const first = Math.max(0, Math.floor((from - MARGIN) / CHUNK) * CHUNK);
  const count = Math.ceil((to + MARGIN - first) / CHUNK) * CHUNK;
  const at = anchor.current;
  useEffect(() => {
    queryRows({ selection, sort: null, group: false, anchor: at, first, count });
  }, [selection, at, first, count]);
}
