import type { FlowSort } from './flow-column.ts';
import { flowRow } from './flow-row.ts';
import { ArrivalCount, rowMatcher } from './matching-rows.ts';
import type { PageWindow } from './page-window.ts';
import type { Selection } from './protocol.ts';
import { sortByKey } from './radix-sort.ts';
import type { RowOrder } from './row-order.ts';
import type { FlowRow } from './shown-flow.ts';
import { sortKeys } from './sort-keys.ts';

/** A table that follows is sorted anew that often, and never for more than a tenth of the time. */
const LEAST_INTERVAL_MS = 1_000;
const COST_SHARE = 10;

/** Rows sorted by a column; among equals the newest first. Four bytes a row. */
export class SortedOrder implements RowOrder {
  /** What stands where may change with every flow. */
  readonly edition = undefined;
  readonly #window: PageWindow;
  readonly #sort: FlowSort;
  readonly #matches: (slot: number) => boolean;
  readonly #arrivals: ArrivalCount;
  readonly #now: () => number;
  /** Positions of rows, less the origin. */
  #order = new Uint32Array(0);
  #origin = 0;
  /** Position after the newest row sorted in; -1 before the first time. */
  #anchor = -1;
  #nextAt = 0;

  constructor(
    window: PageWindow,
    selection: Selection | null,
    sort: FlowSort,
    now: () => number = () => performance.now(),
  ) {
    this.#window = window;
    this.#sort = sort;
    this.#matches = rowMatcher(window, selection);
    this.#arrivals = new ArrivalCount(window, selection);
    this.#now = now;
  }

  get total(): number {
    return this.#order.length;
  }

  update(anchor: number | null): number {
    const wanted = Math.min(anchor ?? this.#window.end, this.#window.end);
    const known = this.#anchor >= 0;
    if (known && wanted === this.#anchor) return this.#anchor;
    if (known && anchor === null && this.#now() < this.#nextAt) return this.#anchor;
    this.#build(wanted);
    return this.#anchor;
  }

  arrived(): number {
    return this.#arrivals.since(this.#anchor);
  }

  row(index: number): FlowRow | null {
    const position = this.position(index);
    return position < this.#window.start ? null : flowRow(this.#window, position);
  }

  position(index: number): number {
    return this.#origin + this.#order[index];
  }

  #build(anchor: number): void {
    const started = this.#now();
    const window = this.#window;
    const { start } = window;
    // Stable passes over rows that stand newest first leave equals so.
    const order = new Uint32Array(Math.max(0, anchor - start));
    let count = 0;
    for (let position = anchor - 1; position >= start; position--) {
      if (this.#matches(window.slot(position))) order[count++] = position - start;
    }
    this.#order = count === order.length ? order : order.slice(0, count);
    this.#origin = start;
    this.#anchor = anchor;
    const rows = this.#order;
    const slots = function* () {
      for (let index = 0; index < rows.length; index++) yield window.slot(start + rows[index]);
    };
    for (const key of sortKeys(window, this.#sort.column, slots)) {
      sortByKey(rows, (offset) => key(window.slot(start + offset)), this.#sort.descending);
    }
    const ended = this.#now();
    this.#nextAt = ended + Math.max(LEAST_INTERVAL_MS, (ended - started) * COST_SHARE);
  }
}
