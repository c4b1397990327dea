import type { RowPredicate } from '#core/filter/algebra.ts';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import { nodeKey } from '#core/flow/node-boot.ts';
import { TimeSlice } from './time-slice.ts';

/** Matching rows are counted per node: a node that says little must not be crowded out by one that says much. */
export class NodeCounts {
  readonly #window: FlowWindow;
  readonly #groups = new Map<string, number>();
  /** By the window's node number: its group. Several boots of a node are one. */
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
    const group = this.#group(number);
    if (this.#counts[group] >= this.#limit) return false;
    if (++this.#counts[group] === this.#limit) this.#full++;
    return true;
  }

  /** Whether every node that the window knows has its number. */
  get complete(): boolean {
    for (let number = this.#groupOf.length; number < this.#window.nodes.length; number++) this.#group(number);
    return this.#full === this.#groups.size;
  }

  #group(number: number): number {
    const known = this.#groupOf[number];
    if (known !== undefined) return known;
    const key = nodeKey(this.#window.nodes[number]);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = this.#groups.size;
      this.#groups.set(key, group);
      this.#counts[group] = 0;
    }
    this.#groupOf[number] = group;
    return group;
  }
}

/** Positions of the last `count` matching rows of every node, oldest first, as of now. Ends early when the signal aborts. */
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
  return positions.reverse();
}
