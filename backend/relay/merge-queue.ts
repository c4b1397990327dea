import { type FlowColumns, rowTimeMs } from '#core/flow/columns.ts';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import { layer7Number } from '#core/flow/layer7.ts';
import type { Layer7Store } from '#core/flow/layer7-store.ts';

/** How long a row may wait for older ones of other nodes, from its arrival. */
export const DEFAULT_MERGE_WAIT_MS = 40;

/** Queued rows beyond which nothing waits any more: they go out in the order they have. */
const MOST_QUEUED_ROWS = 262_144;

/** How often, at most, rows are moved on while more keep coming. */
const DRAIN_EVERY_MS = 5;

interface Chunk {
  readonly columns: FlowColumns;
  /** Its rows are [from, to). */
  readonly from: number;
  readonly to: number;
  /** The newest time in it, in milliseconds of wall clock. */
  readonly newestMs: number;
  readonly arrivedMs: number;
  /** Whether its rows hold on to their records of layer 7. */
  readonly requests: boolean;
}

/**
 * Merges the rows of several nodes by time into a window. Rows go out as soon as every node has been heard of
 * beyond their time, and in any case when they have waited long enough: a node that is silent or gone delays nothing
 * further. Rows of one node keep their order.
 */
export class MergeQueue {
  readonly #window: FlowWindow;
  readonly #waitMs: number;
  readonly #onRows: (from: number, to: number) => void;
  readonly #sources = new Set<MergeSource>();
  #heap: MergeSource[] = [];
  #queued = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `onRows` hears of the window's positions [from, to) after they were filled; never of more than its capacity. */
  constructor(window: FlowWindow, waitMs: number, onRows: (from: number, to: number) => void) {
    this.#window = window;
    this.#waitMs = waitMs;
    this.#onRows = onRows;
  }

  addSource(): MergeSource {
    const source = new MergeSource(
      this.#window.layer7,
      (chunk) => this.#arrived(chunk),
      () => this.#leave(source),
    );
    this.#sources.add(source);
    return source;
  }

  /** Moves everything on at once. */
  flush(): void {
    this.#drain(Number.POSITIVE_INFINITY);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sources.clear();
  }

  #arrived(chunk: Chunk): void {
    this.#queued += chunk.to - chunk.from;
    if (this.#queued > MOST_QUEUED_ROWS) this.flush();
    else this.#schedule(DRAIN_EVERY_MS);
  }

  #leave(source: MergeSource): void {
    // Its rows refer to numbers that are about to be given back.
    if (source.headMs !== undefined) this.flush();
    this.#sources.delete(source);
    if (this.#queued > 0) this.#schedule(DRAIN_EVERY_MS);
  }

  #schedule(delayMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#drain(this.#horizonMs(performance.now()));
      if (this.#queued > 0) this.#schedule(Math.max(DRAIN_EVERY_MS, this.#nextDueMs() - performance.now()));
    }, delayMs);
  }

  /** Rows up to this time may go: nothing older can come in time, or one of them has waited long enough. */
  #horizonMs(now: number): number {
    let heardOfAll = Number.POSITIVE_INFINITY;
    let waited = Number.NEGATIVE_INFINITY;
    for (const source of this.#sources) {
      heardOfAll = Math.min(heardOfAll, source.newestMs);
      waited = Math.max(waited, source.newestMsOfThoseBefore(now - this.#waitMs));
    }
    return Math.max(heardOfAll, waited);
  }

  #nextDueMs(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const source of this.#sources) oldest = Math.min(oldest, source.oldestArrivalMs);
    return oldest + this.#waitMs;
  }

  #drain(horizonMs: number): void {
    const from = this.#window.end;
    const heap = this.#heap;
    heap.length = 0;
    for (const source of this.#sources) if (source.headMs !== undefined) heapPush(heap, source);
    let told = from;
    while (heap.length > 0) {
      const source = heap[0];
      if (source.headMs! > horizonMs) break;
      heapPop(heap);
      // It may go on until it passes the next source.
      const limit = heap.length > 0 ? Math.min(horizonMs, heap[0].headMs!) : horizonMs;
      do {
        this.#window.push(source.columns, source.row);
        this.#queued--;
        source.advance();
        // Listeners must see rows before newer ones overwrite them.
        if (this.#window.end - told >= this.#window.capacity) {
          this.#onRows(told, this.#window.end);
          told = this.#window.end;
        }
      } while (source.headMs !== undefined && source.headMs <= limit);
      if (source.headMs !== undefined) heapPush(heap, source);
    }
    if (this.#window.end > told) this.#onRows(told, this.#window.end);
  }
}

/** One node's rows on their way into the merge. */
export class MergeSource {
  readonly #layer7: Layer7Store;
  readonly #arrived: (chunk: Chunk) => void;
  readonly #leave: () => void;
  readonly #chunks: Chunk[] = [];
  /** The row that comes next, and where it stands; `headMs` is undefined when there is none. */
  headMs: number | undefined;
  row = 0;
  /** The newest time heard of this node. */
  newestMs = Number.NEGATIVE_INFINITY;

  constructor(layer7: Layer7Store, arrived: (chunk: Chunk) => void, leave: () => void) {
    this.#layer7 = layer7;
    this.#arrived = arrived;
    this.#leave = leave;
  }

  get columns(): FlowColumns {
    return this.#chunks[0].columns;
  }

  get oldestArrivalMs(): number {
    return this.#chunks[0]?.arrivedMs ?? Number.POSITIVE_INFINITY;
  }

  newestMsOfThoseBefore(arrivedMs: number): number {
    let newest = Number.NEGATIVE_INFINITY;
    for (const chunk of this.#chunks) {
      if (chunk.arrivedMs > arrivedMs) break;
      newest = Math.max(newest, chunk.newestMs);
    }
    return newest;
  }

  /**
   * Takes over the columns, whose numbers are the window's. Rows [from, to) are used.
   *
   * @param requests some may be of layer 7: their records are held until the rows have gone on
   */
  push(columns: FlowColumns, from: number, to: number, requests = false): void {
    if (from >= to) return;
    if (requests) for (let row = from; row < to; row++) this.#layer7.retain(layer7Number(columns, row));
    let newestMs = Number.NEGATIVE_INFINITY;
    for (let row = from; row < to; row++) newestMs = Math.max(newestMs, rowTimeMs(columns, row));
    this.newestMs = Math.max(this.newestMs, newestMs);
    const chunk = { columns, from, to, newestMs, arrivedMs: performance.now(), requests };
    this.#chunks.push(chunk);
    if (this.headMs === undefined) {
      this.row = from;
      this.headMs = rowTimeMs(columns, from);
    }
    this.#arrived(chunk);
  }

  advance(): void {
    const chunk = this.#chunks[0];
    this.row++;
    if (this.row < chunk.to) {
      this.headMs = rowTimeMs(chunk.columns, this.row);
      return;
    }
    this.#chunks.shift();
    if (chunk.requests) {
      for (let row = chunk.from; row < chunk.to; row++) this.#layer7.release(layer7Number(chunk.columns, row));
    }
    const next = this.#chunks[0];
    if (next === undefined) {
      this.headMs = undefined;
    } else {
      this.row = next.from;
      this.headMs = rowTimeMs(next.columns, this.row);
    }
  }

  /** Moves on what is left of it, and no longer waits for it. */
  close(): void {
    this.#leave();
  }
}

function heapPush(heap: MergeSource[], source: MergeSource): void {
  let at = heap.push(source) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (heap[parent].headMs! <= source.headMs!) break;
    heap[at] = heap[parent];
    at = parent;
  }
  heap[at] = source;
}

function heapPop(heap: MergeSource[]): void {
  const last = heap.pop()!;
  if (heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && heap[child + 1].headMs! < heap[child].headMs!) child++;
    if (last.headMs! <= heap[child].headMs!) break;
    heap[at] = heap[child];
    at = child;
  }
  heap[at] = last;
}
