import { BatchDecoder } from '#core/flow/batch.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import type { FlowBatch } from '#proto/gen/waggle/v1/flow_pb.ts';
import { flowRow } from './flow-row.ts';
import type { FlowRow, RowsQuery, RowsSlice } from './protocol.ts';
import { RowIndex } from './row-index.ts';

/** Flows held by a page: about 16 MB in columns. */
export const DEFAULT_CAPACITY = 262_144;
const MOST_ROWS_PER_SLICE = 500;

/** The flows of one view, in columns; rows become objects only when a table shows them. */
export class FlowStore {
  readonly window: FlowWindow;
  #decoder: BatchDecoder | undefined;
  /** One per selection asked for, the most recently used last. */
  readonly #indexes = new Map<string, RowIndex>();
  static readonly #MOST_INDEXES = 8;

  constructor(capacity: number = DEFAULT_CAPACITY) {
    this.window = new FlowWindow(capacity);
  }

  /** A new stream: its dictionaries start empty, the rows stay. */
  beginStream(): void {
    this.#decoder?.close();
    this.#decoder = new BatchDecoder(this.window);
  }

  /** Throws FlowDecodeError for a batch this build cannot read. */
  push(batch: FlowBatch): void {
    if (this.#decoder === undefined) throw new Error('flows before a stream began');
    const { rows, columns } = this.#decoder.decode(batch);
    for (let row = 0; row < rows; row++) this.window.push(columns, row);
  }

  slice(query: RowsQuery): RowsSlice {
    const { window } = this;
    const anchor = query.anchor === null ? window.end : Math.min(query.anchor, window.end);
    const count = Math.min(query.count, MOST_ROWS_PER_SLICE);
    const rows: FlowRow[] = [];
    if (query.selection === null) {
      const total = Math.max(0, anchor - window.start);
      for (let index = query.first; index < Math.min(query.first + count, total); index++) {
        rows.push(flowRow(window, anchor - 1 - index));
      }
      return { query, anchor, total, arrived: window.end - anchor, rows };
    }
    const selected = this.#index(query.selection);
    const total = selected.countBelow(anchor);
    for (let index = query.first; index < Math.min(query.first + count, total); index++) {
      rows.push(flowRow(window, selected.at(total - 1 - index)));
    }
    return { query, anchor, total, arrived: selected.countBelow(window.end) - total, rows };
  }

  #index(selection: NonNullable<RowsQuery['selection']>): RowIndex {
    const index = this.#indexes.get(selection.key) ?? new RowIndex(this.window, selection);
    this.#indexes.delete(selection.key);
    this.#indexes.set(selection.key, index);
    if (this.#indexes.size > FlowStore.#MOST_INDEXES) {
      const oldest = this.#indexes.keys().next();
      if (!oldest.done) this.#indexes.delete(oldest.value);
    }
    index.update();
    return index;
  }
}
