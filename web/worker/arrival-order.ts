import { flowRow } from './flow-row.ts';
import type { PageWindow } from './page-window.ts';
import type { Selection } from './protocol.ts';
import { RowIndex } from './row-index.ts';
import type { RowOrder } from './row-order.ts';
import type { FlowRow } from './shown-flow.ts';

/** The newest first: nothing to be sorted, and without a selection nothing to be remembered. */
export class ArrivalOrder implements RowOrder {
  readonly #window: PageWindow;
  readonly #index: RowIndex | undefined;
  #anchor = 0;
  total = 0;

  constructor(window: PageWindow, selection: Selection | null) {
    this.#window = window;
    this.#index = selection === null ? undefined : new RowIndex(window, selection);
  }

  update(anchor: number | null): number {
    const { start, end } = this.#window;
    this.#anchor = Math.min(anchor ?? end, end);
    this.#index?.update();
    this.total = this.#index?.countBelow(this.#anchor) ?? Math.max(0, this.#anchor - start);
    return this.#anchor;
  }

  arrived(): number {
    const { end } = this.#window;
    return this.#index === undefined ? end - this.#anchor : this.#index.countBelow(end) - this.total;
  }

  get edition(): string {
    return `${this.position(0)} ${this.total} ${this.arrived()}`;
  }

  row(index: number): FlowRow | null {
    return flowRow(this.#window, this.position(index));
  }

  position(index: number): number {
    return this.#index === undefined ? this.#anchor - 1 - index : this.#index.at(this.total - 1 - index);
  }
}
