import { ArrivalOrder } from './arrival-order.ts';
import type { FlowSort } from './flow-column.ts';
import { GroupedOrder } from './grouped-order.ts';
import type { PageWindow } from './page-window.ts';
import type { Selection } from './protocol.ts';
import type { RowOrder } from './row-order.ts';
import { SortedOrder } from './sorted-order.ts';

/** Which rows a table shows, and in which order. */
export interface OrderSpec {
  readonly selection: Selection | null;
  /** Null: by arrival, the newest first. */
  readonly sort: FlowSort | null;
  /** Repeats as one row. */
  readonly group: boolean;
}

export function chooseOrder(window: PageWindow, { selection, sort, group }: OrderSpec): RowOrder {
  if (group) return new GroupedOrder(window, selection, sort);
  if (sort !== null) return new SortedOrder(window, selection, sort);
  return new ArrivalOrder(window, selection);
}
