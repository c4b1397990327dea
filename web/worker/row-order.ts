import type { FlowRow } from './shown-flow.ts';

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
