import { BatchDecoder } from '#core/flow/batch.ts';
import { copyRow, type FlowColumns, rowTimeMs } from '#core/flow/columns.ts';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import type { FlowBatch } from '#proto/gen/waggle/v1/flow_pb.ts';

export interface Span {
  /** When the recording began, milliseconds since 1970. */
  readonly startedMs: number;
  readonly durationMs: number;
}

/** One node's recorded flows on an endless line of time: after the last comes the first again. */
export class Timeline {
  readonly #window: FlowWindow;
  readonly #node: number;
  readonly #span: Span;
  /** When the first round begins, milliseconds since 1970. */
  readonly #beginMs: number;
  readonly #parts: { rows: number; columns: FlowColumns }[];
  #round = 0;
  #part = 0;
  #row = 0;

  /** What the batches' dictionaries hold is interned in the window for good; `node` is the window's number of the replaying boot. */
  constructor(window: FlowWindow, node: number, batches: readonly FlowBatch[], span: Span, beginMs: number) {
    this.#window = window;
    this.#node = node;
    this.#span = span;
    this.#beginMs = Math.round(beginMs);
    const { endpoints, decisions, layer7 } = window;
    const decoder = new BatchDecoder({ endpoints, decisions, layer7, nodeNumber: () => node });
    this.#parts = batches.map((batch) => decoder.decode(batch)).filter(({ rows }) => rows > 0);
  }

  /** Appends the flows that have happened by `nowMs` to the window, at their new times. Returns how many. */
  advance(nowMs: number): number {
    let count = 0;
    while (this.#parts.length > 0) {
      const shiftMs = this.#beginMs + this.#round * this.#span.durationMs - Math.round(this.#span.startedMs);
      for (; this.#part < this.#parts.length; this.#part++, this.#row = 0) {
        const { rows, columns } = this.#parts[this.#part];
        for (; this.#row < rows; this.#row++) {
          const at = rowTimeMs(columns, this.#row) + shiftMs;
          if (at > nowMs) return count;
          this.#append(columns, this.#row, shiftMs);
          count++;
        }
      }
      if (nowMs < this.#beginMs + (this.#round + 1) * this.#span.durationMs) return count;
      this.#round++;
      this.#part = 0;
      this.#row = 0;
    }
    return count;
  }

  #append(columns: FlowColumns, row: number, shiftMs: number): void {
    const window = this.#window;
    const slot = window.claim();
    const to = window.columns;
    copyRow(columns, row, to, slot);
    const seconds = Math.floor(shiftMs / 1000);
    const nanos = columns.timeNanos[row] + (shiftMs - seconds * 1000) * 1_000_000;
    const carry = nanos >= 1_000_000_000 ? 1 : 0;
    to.timeSeconds[slot] = columns.timeSeconds[row] + seconds + carry;
    to.timeNanos[slot] = nanos - carry * 1_000_000_000;
    to.node[slot] = this.#node;
    to.sequence[slot] = window.end + 1;
    window.commit(slot);
  }
}
