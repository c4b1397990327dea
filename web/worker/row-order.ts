import { ArrivalOrder } from './arrival-order.ts';
import type { FlowSort } from './flow-column.ts';
import { GroupedOrder } from './grouped-order.ts';
import type { PageWindow } from './page-window.ts';
import type { FlowRow, Selection } from './protocol.ts';
import { SortedOrder } from './sorted-order.ts';

/** Which rows a table shows, and in which order. */
export interface OrderSpec {
  readonly selection: Selection | null;
  /** Null: by arrival, the newest first. */
  readonly sort: FlowSort | null;
  /** Repeats as one row. */
  readonly group: boolean;
}

/** The rows of one table, kept up to date as the window moves on. */
export interface RowOrder {
  /**
   * Brings it up to date: to the newest row, or (`anchor`) to the rows below that position, which is for a table that holds
   * still. Returns the position after the newest row counted.
   */
  update(anchor: number | null): number;
  /** Rows of the table, as of the last update. */
  readonly total: number;
  /** Matching flows that have come since. */
  arrived(): number;
  /** As long as it is the same, so are the rows and what arrived; undefined where that is not known. */
  readonly edition: string | undefined;
  /** Null for a row whose flow the window no longer holds. */
  row(index: number): FlowRow | null;
  /** Position of the row's flow (of a group: the latest). */
  position(index: number): number;
}

export function rowOrder(window: PageWindow, { selection, sort, group }: OrderSpec): RowOrder {
  if (group) return new GroupedOrder(window, selection, sort);
  if (sort !== null) return new SortedOrder(window, selection, sort);
  return new ArrivalOrder(window, selection);
}
