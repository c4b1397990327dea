import type { FlowWindow } from '#core/flow/flow-window.ts';
import { rowMatcher } from './matching-rows.ts';
import type { Selection } from './protocol.ts';

/**
 * Which of a window's rows a selection shows, as their positions in rising order. Kept up to date row by row; what the
 * window has overwritten falls out at the front.
 */
export class RowIndex {
  readonly #window: FlowWindow;
  readonly #matches: (slot: number) => boolean;
  #positions: Float64Array = new Float64Array(1024);
  #begin = 0;
  #end = 0;
  /** Rows below this position have been looked at. */
  #seen: number;

  constructor(window: FlowWindow, selection: Selection) {
    this.#window = window;
    this.#matches = rowMatcher(window, selection);
    this.#seen = window.start;
  }

  /** Looks at rows that came since the last call. */
  update(): void {
    const { start, end } = this.#window;
    for (let position = Math.max(this.#seen, start); position < end; position++) {
      const slot = this.#window.slot(position);
      if (this.#matches(slot)) {
        this.#push(position);
      }
    }
    this.#seen = end;
    while (this.#begin < this.#end && this.#positions[this.#begin] < start) this.#begin++;
  }

  /** How many positions are held below this one. */
  countBelow(anchor: number): number {
    let low = this.#begin;
    let high = this.#end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#positions[middle] < anchor) low = middle + 1;
      else high = middle;
    }
    return low - this.#begin;
  }

  /** The nth position held, from the oldest. */
  at(index: number): number {
    return this.#positions[this.#begin + index];
  }

  #push(position: number): void {
    if (this.#end === this.#positions.length) {
      const held = this.#end - this.#begin;
      const into = held > this.#positions.length / 2 ? new Float64Array(this.#positions.length * 2) : this.#positions;
      into.set(this.#positions.subarray(this.#begin, this.#end));
      this.#positions = into;
      this.#begin = 0;
      this.#end = held;
    }
    this.#positions[this.#end++] = position;
  }
}
