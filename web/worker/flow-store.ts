import { BatchDecoder } from '#core/flow/batch.ts';
import type { FlowBatch } from '#proto/gen/waggle/v1/flow_pb.ts';
import { chooseOrder, type OrderSpec } from './choose-order.ts';
import { PageWindow } from './page-window.ts';
import type { RowsQuery, RowsSlice } from './protocol.ts';
import type { RowOrder } from './row-order.ts';
import type { FlowRow } from './shown-flow.ts';

/** Flows held by a page: at most 64 MB, dictionaries included (flow-store.spec.ts measures it). */
const DEFAULT_CAPACITY = 1_000_000;
const MOST_ROWS_PER_SLICE = 500;

/** The flows of one view, in columns; rows become objects only when a table shows them. */
export class FlowStore {
  readonly window: PageWindow;
  #decoder: BatchDecoder | undefined;
  /** What each reader's table shows. */
  readonly #orders = new WeakMap<object, { readonly key: string; readonly order: RowOrder }>();

  constructor(capacity: number = DEFAULT_CAPACITY) {
    this.window = new PageWindow(capacity);
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

  /** What a table shows now. `reader` is whose table it is: orders of rows are kept for each. */
  slice(query: RowsQuery, reader: object): RowsSlice {
    const order = this.#order(query, reader);
    const anchor = order.update(query.anchor);
    const { total } = order;
    const end = Math.min(query.first + Math.min(query.count, MOST_ROWS_PER_SLICE), total);
    const rows: (FlowRow | null)[] = [];
    for (let index = query.first; index < end; index++) rows.push(order.row(index));
    return { query, anchor, total, arrived: order.arrived(), rows };
  }

  /** Of what the table shows, as of the last slice or now; see `RowOrder.edition`. */
  edition(query: RowsQuery, reader: object): string | undefined {
    const order = this.#order(query, reader);
    order.update(query.anchor);
    return order.edition;
  }

  #order({ selection, sort, group }: OrderSpec, reader: object): RowOrder {
    const key = JSON.stringify([selection, sort, group]);
    const known = this.#orders.get(reader);
    if (known?.key === key) return known.order;
    const order = chooseOrder(this.window, { selection, sort, group });
    this.#orders.set(reader, { key, order });
    return order;
  }
}
