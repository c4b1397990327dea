import { allocateColumns, copyRow, type FlowColumns } from './columns.ts';
import { DecisionStore } from './decision-store.ts';
import { EndpointStore } from './endpoint-store.ts';
import { Layer7Store } from './layer7-store.ts';
import { type NodeBoot, nodeBootKey } from './node-boot.ts';
import { OBSERVATION } from './observation.ts';

/**
 * The most recent flows, in columns of a fixed capacity: the newest row overwrites the oldest. Rows are addressed by
 * their position, which counts from 0 since the window was made and is never reused; `slot` turns it into an array index.
 */
export class FlowWindow {
  readonly capacity: number;
  readonly columns: FlowColumns;
  readonly endpoints = new EndpointStore();
  readonly decisions = new DecisionStore();
  readonly layer7 = new Layer7Store();
  /** Node boots by the number in the `node` column. Append only: one per restart of an agent. */
  readonly nodes: NodeBoot[] = [];
  readonly #nodeNumbers = new Map<string, number>();
  #end = 0;
  /** Array index of the row at `#end`: a division per row is dear. */
  #slot = 0;

  /** `columns`: for windows that hold their rows in their own way. */
  constructor(capacity: number, columns?: FlowColumns) {
    if (!Number.isSafeInteger(capacity) || capacity < 1)
      throw new RangeError(`capacity ${capacity} is not a positive integer`);
    this.capacity = capacity;
    this.columns = columns ?? allocateColumns(capacity);
  }

  /** Position of the oldest row held. */
  get start(): number {
    return Math.max(0, this.#end - this.capacity);
  }

  /** Position the next row will get. */
  get end(): number {
    return this.#end;
  }

  get length(): number {
    return this.#end - this.start;
  }

  /** Array index of a position. */
  slot(position: number): number {
    return position % this.capacity;
  }

  nodeNumber(boot: NodeBoot): number {
    const key = nodeBootKey(boot);
    let number = this.#nodeNumbers.get(key);
    if (number === undefined) {
      if (this.nodes.length > 0xffff) throw new RangeError('more than 65,536 node boots in one window');
      number = this.nodes.push(boot) - 1;
      this.#nodeNumbers.set(key, number);
    }
    return number;
  }

  /** Appends a row whose `node`, `source`, `destination`, `policy` and record of layer 7 are numbers of this window. Returns its position. */
  push(from: FlowColumns, row: number): number {
    // Retained before the overwritten row lets go: it may be the only one that holds them.
    this.endpoints.retain(from.source[row]);
    this.endpoints.retain(from.destination[row]);
    if (from.policy[row] !== 0) this.decisions.retain(from.policy[row]);
    if (from.observation[row] === OBSERVATION.LAYER7) this.layer7.retain(from.packetsReply[row]);
    copyRow(from, row, this.columns, this.claim());
    this.#advance();
    return this.#end - 1;
  }

  /**
   * The slot of the next row, its former content released. Write every column, then call `commit`: for callers that
   * decode straight into the window. Endpoint and decision numbers must be interned after this call or retained by the caller: the
   * released row may have been the last to hold one.
   */
  claim(): number {
    const slot = this.#slot;
    if (this.#end >= this.capacity) {
      this.endpoints.release(this.columns.source[slot]);
      this.endpoints.release(this.columns.destination[slot]);
      this.decisions.release(this.columns.policy[slot]);
      if (this.columns.observation[slot] === OBSERVATION.LAYER7) this.layer7.release(this.columns.packetsReply[slot]);
    }
    return slot;
  }

  commit(slot: number): void {
    this.endpoints.retain(this.columns.source[slot]);
    this.endpoints.retain(this.columns.destination[slot]);
    if (this.columns.policy[slot] !== 0) this.decisions.retain(this.columns.policy[slot]);
    if (this.columns.observation[slot] === OBSERVATION.LAYER7) this.layer7.retain(this.columns.packetsReply[slot]);
    this.#advance();
  }

  #advance(): void {
    this.#end++;
    this.#slot = this.#slot + 1 === this.capacity ? 0 : this.#slot + 1;
  }
}
