import type { RowPredicate } from '#core/filter/algebra.ts';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import { nodeKey } from '#core/flow/node-boot.ts';
import { TimeSlice } from './time-slice.ts';

/** Matching rows are counted per node: a node that says little must not be crowded out by one that says much. */
class NodeCounts {
  readonly #window: FlowWindow;
  readonly #groups = new Map<string, number>();
  /** By the window's node number, without gaps: its group. Several boots of a node are one. */
  readonly #groupOf: number[] = [];
  readonly #counts: number[] = [];
  /** Nodes that have reached the limit. */
  #full = 0;
  readonly #limit: number;

  constructor(window: FlowWindow, limit: number) {
    this.#window = window;
    this.#limit = limit;
  }

  /** Counts a row of this node number. False where the node has its number already. */
  take(number: number): boolean {
    this.#meetNodes();
    const group = this.#groupOf[number];
    if (this.#counts[group] >= this.#limit) return false;
    if (++this.#counts[group] === this.#limit) this.#full++;
    return true;
  }

  /** Whether every node that the window knows has its number. */
  get complete(): boolean {
    this.#meetNodes();
    return this.#full === this.#groups.size;
  }

  /** Nodes count from when the window knows them, not from their first row that matches: that one may be far off. */
  #meetNodes(): void {
    for (let number = this.#groupOf.length; number < this.#window.nodes.length; number++) {
      const key = nodeKey(this.#window.nodes[number]);
      let group = this.#groups.get(key);
      if (group === undefined) {
        group = this.#groups.size;
        this.#groups.set(key, group);
        this.#counts.push(0);
      }
      this.#groupOf.push(group);
    }
  }
}

/**
 * Positions of the last `count` matching rows of every node as of now, oldest first by the time of their flows. Ends early
 * when the signal aborts.
 */
export async function lastMatching(
  window: FlowWindow,
  matches: RowPredicate,
  count: number,
  signal: AbortSignal,
): Promise<number[]> {
  const counts = new NodeCounts(window, count);
  const positions: number[] = [];
  const slice = new TimeSlice();
  for (let position = window.end - 1; position >= window.start && !counts.complete; position--) {
    if (slice.over) {
      await slice.turn();
      if (signal.aborted) break;
      // Overwritten meanwhile.
      if (position < window.start) break;
    }
    const slot = window.slot(position);
    if (matches(window.columns, slot) && counts.take(window.columns.node[slot])) positions.push(position);
  }
  return byTime(window, positions.reverse());
}

/**
 * Positions of the first `count` matching rows of every node among those held now, oldest first by the time of their
 * flows. Ends early when the signal aborts. Rows that were overwritten before they were looked at are counted.
 */
export async function firstMatching(
  window: FlowWindow,
  matches: RowPredicate,
  count: number,
  signal: AbortSignal,
): Promise<{ positions: number[]; overwritten: number }> {
  const counts = new NodeCounts(window, count);
  const positions: number[] = [];
  let overwritten = 0;
  const slice = new TimeSlice();
  const { end } = window;
  for (let position = window.start; position < end && !counts.complete; position++) {
    if (slice.over) {
      await slice.turn();
      if (signal.aborted) break;
      if (position < window.start) {
        overwritten += window.start - position;
        position = window.start;
        if (position >= end) break;
      }
    }
    const slot = window.slot(position);
    if (matches(window.columns, slot) && counts.take(window.columns.node[slot])) positions.push(position);
  }
  return { positions: byTime(window, positions), overwritten };
}

/** A node that was heard of late has its rows behind younger ones of others. */
function byTime(window: FlowWindow, positions: number[]): number[] {
  const { timeSeconds, timeNanos } = window.columns;
  return positions.sort((a, b) => {
    const [one, other] = [window.slot(a), window.slot(b)];
    return timeSeconds[one] - timeSeconds[other] || timeNanos[one] - timeNanos[other] || a - b;
  });
}
