import { setImmediate as nextTurn } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { BatchEncoder } from '#core/flow/batch.ts';
import { type Cursor, type FlowBatch, type Loss, LossSchema, LossSource } from '#proto/gen/waggle/v1/flow_pb.ts';
import type { LossReader } from '../relay/loss-ledger.ts';
import type { MergedFlows } from '../relay/merged-flows.ts';
import { timestamp } from '../timestamp.ts';
import { ResumePoint } from './resume-point.ts';
import type { Selection } from './selection.ts';
import { StreamPosition } from './stream-position.ts';

/** Rows looked at without a pause. */
const SLICE_ROWS = 16_384;
/** Rows of one batch. */
const MOST_BATCH_ROWS = 4_096;

/** Positions of the batch that is being put together. One for all readers, of whom there may be a thousand: it is done in one go. */
const scratch = new Float64Array(MOST_BATCH_ROWS);

export interface TailStart {
  readonly cursor?: Cursor;
  /** Without a cursor: how many past matches to begin with. */
  readonly last?: number;
}

/**
 * One reader's stream of a selection's flows: first past ones, then those that come, in the order of the window. A reader
 * that falls too far behind loses the oldest, which it is told.
 */
export class FlowTail {
  readonly #relay: MergedFlows;
  readonly #selection: Selection;
  readonly #encoder: BatchEncoder;
  readonly #losses: LossReader;
  readonly #position: StreamPosition;
  readonly #resumed: ResumePoint | undefined;
  /** Past matches still to be sent, and the next of them. */
  #past = new Float64Array(0);
  #pastNext = 0;
  /** Place of the next live match in the selection's ring. */
  #place: number;
  #missed = 0;
  #missedSinceMs = 0;
  /** Rows this reader was too slow to take, or that were gone when it came back. */
  missedTotal = 0;

  private constructor(relay: MergedFlows, selection: Selection, cursor: Cursor | undefined) {
    this.#relay = relay;
    this.#selection = selection;
    this.#encoder = new BatchEncoder(relay.window);
    this.#losses = relay.losses.reader();
    if (cursor !== undefined && cursor.positions.length > 0) this.#resumed = new ResumePoint(cursor, relay.window);
    this.#position = new StreamPosition(relay, this.#resumed);
    this.#place = selection.ring.end;
    this.#position.atEnd();
  }

  static async open(relay: MergedFlows, selection: Selection, start: TailStart): Promise<FlowTail> {
    const tail = new FlowTail(relay, selection, start.cursor);
    // Live matches gather in the ring meanwhile.
    if (tail.#resumed !== undefined) await tail.#resume(tail.#resumed);
    else if (start.last !== undefined && start.last > 0) await tail.#lookBack(start.last);
    return tail;
  }

  /** Whether there is something to send. */
  get pending(): boolean {
    return this.pendingPast || this.#place < this.#selection.ring.end;
  }

  get pendingPast(): boolean {
    return this.#pastNext < this.#past.length;
  }

  /** Endpoints named on this stream so far. */
  get dictionarySize(): number {
    return this.#encoder.dictionarySize;
  }

  /** The next rows, at most a batch of them, with the losses and the position after them. */
  take(): FlowBatch {
    const count = this.pendingPast ? this.#takePast() : this.#takeLive();
    const batch = this.#encoder.encode(scratch, count);
    if (!this.pending) this.#position.atEnd();
    batch.losses = this.#losses.take();
    if (this.#missed > 0) batch.losses.push(this.#missedLoss());
    batch.cursor = this.#position.cursor();
    return batch;
  }

  #takePast(): number {
    let count = 0;
    while (count < MOST_BATCH_ROWS && this.pendingPast) count = this.#offer(this.#past[this.#pastNext++], count);
    if (!this.pendingPast) this.#past = new Float64Array(0);
    if (!this.pendingPast) this.#pastNext = 0;
    return count;
  }

  #takeLive(): number {
    const { ring } = this.#selection;
    if (this.#place < ring.start) {
      this.#miss(ring.start - this.#place);
      this.#place = ring.start;
    }
    let count = 0;
    while (count < MOST_BATCH_ROWS && this.#place < ring.end) {
      const position = ring.at(this.#place++);
      if (!this.#hadBefore(position)) count = this.#offer(position, count);
    }
    return count;
  }

  #hadBefore(position: number): boolean {
    if (this.#resumed === undefined) return false;
    const { window } = this.#relay;
    const row = window.slot(position);
    return position >= window.start && window.columns.sequence[row] <= this.#resumed.sequence(window.columns.node[row]);
  }

  /** Puts a position into the batch, unless the window no longer holds it. Returns the batch's size. */
  #offer(position: number, count: number): number {
    const { window } = this.#relay;
    if (position < window.start) {
      this.#miss(1);
      return count;
    }
    const row = window.slot(position);
    this.#position.set(window.columns.node[row], window.columns.sequence[row]);
    scratch[count] = position;
    return count + 1;
  }

  #miss(count: number): void {
    if (this.#missed === 0) this.#missedSinceMs = Date.now();
    this.#missed += count;
    this.missedTotal += count;
  }

  #missedLoss(): Loss {
    const loss = create(LossSchema, {
      source: LossSource.VIEW_QUEUE,
      count: BigInt(this.#missed),
      first: timestamp(this.#missedSinceMs),
      last: timestamp(Date.now()),
    });
    this.#missed = 0;
    return loss;
  }

  /** Finds the last so many matches. */
  async #lookBack(wanted: number): Promise<void> {
    const { window } = this.#relay;
    const { matches } = this.#selection;
    const found: number[] = [];
    const end = window.end;
    const atEnd = window.nodes.map((_, node) => this.#relay.sequenceAtEnd(node));
    /** By node, of the first row looked at; 0 = none was. */
    const first = new Float64Array(window.nodes.length);
    let position = end;
    while (position > window.start && found.length < wanted) {
      const { columns } = window;
      const { node, sequence } = columns;
      const slice = Math.max(window.start, position - SLICE_ROWS);
      // This runs a million times before somebody sees their first result: no calls but the filter's.
      let row = window.slot(position);
      while (position > slice && found.length < wanted) {
        position--;
        row = row === 0 ? window.capacity - 1 : row - 1;
        first[node[row]] = sequence[row];
        if (matches(columns, row)) found.push(position);
      }
      await nextTurn();
    }
    for (const node of window.nodes.keys()) if (first[node] > 0) this.#position.set(node, first[node] - 1);
    if (found.length === 0) for (const [node, sequence] of atEnd.entries()) this.#position.set(node, sequence);
    this.#past = Float64Array.from(found.reverse());
  }

  /** Finds the matches after a cursor. Rows that the window has overwritten meanwhile count as missed, matching or not. */
  async #resume(resumed: ResumePoint): Promise<void> {
    const { window } = this.#relay;
    const after = resumed.thresholds();
    const atEnd = after.map((_, node) => this.#relay.sequenceAtEnd(node));
    const firstHeld: (number | undefined)[] = [];
    const found: number[] = [];
    const end = window.end;
    for (let position = window.start; position < end; ) {
      const slice = Math.min(end, position + SLICE_ROWS);
      for (position = Math.max(position, window.start); position < slice; position++) {
        const row = window.slot(position);
        const node = window.columns.node[row];
        const sequence = window.columns.sequence[row];
        firstHeld[node] ??= sequence;
        if (sequence > after[node] && this.#selection.matches(window.columns, row)) found.push(position);
      }
      await nextTurn();
    }
    for (const [node, threshold] of after.entries()) {
      if (threshold === Number.POSITIVE_INFINITY) continue;
      this.#position.set(node, threshold);
      const next = this.#relay.heldSince(node, firstHeld[node] ?? atEnd[node] + 1);
      if (next > threshold + 1 && threshold > 0) this.#miss(next - threshold - 1);
    }
    this.#past = Float64Array.from(found);
    if (found.length > 0) return;
    for (const [node, sequence] of atEnd.entries())
      this.#position.set(node, Math.max(sequence, resumed.sequence(node)));
  }
}
