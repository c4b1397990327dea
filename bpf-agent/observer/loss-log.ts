import type { LossSource } from '#proto/gen/waggle/v1/flow_pb.ts';

const MOST_ENTRIES = 1_024;

/** Something this node saw and cannot say. */
export interface LossEntry {
  readonly source: LossSource;
  readonly count: number;
  /** Sequence of the last flow before it was noticed. */
  readonly sequence: number;
  /** When it happened at the earliest and the latest, milliseconds since 1970. */
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Losses in the order they were noticed, so that each reader is told each of them once. Bounded: old ones are merged. */
export class LossLog {
  readonly #entries: LossEntry[] = [];
  readonly #totals = new Map<LossSource, number>();
  /** Number of the first entry held; entries are numbered from 0. */
  #first = 0;

  note(entry: LossEntry): void {
    if (entry.count <= 0) return;
    this.#totals.set(entry.source, (this.#totals.get(entry.source) ?? 0) + entry.count);
    this.#entries.push(entry);
    if (this.#entries.length > MOST_ENTRIES) this.#mergeOldest();
  }

  /** Since the start of this process. */
  get totals(): ReadonlyMap<LossSource, number> {
    return this.#totals;
  }

  /** The number the next entry gets. */
  get end(): number {
    return this.#first + this.#entries.length;
  }

  /** Number of the first entry noticed after the flow with this sequence. */
  after(sequence: number): number {
    const index = this.#entries.findIndex((entry) => entry.sequence > sequence);
    return index < 0 ? this.end : this.#first + index;
  }

  from(number: number): LossEntry[] {
    return this.#entries.slice(Math.max(0, number - this.#first));
  }

  #mergeOldest(): void {
    const oldest = this.#entries.shift()!;
    this.#first++;
    const into = this.#entries.findIndex(({ source }) => source === oldest.source);
    if (into < 0) return;
    const later = this.#entries[into];
    this.#entries[into] = { ...later, count: later.count + oldest.count, firstMs: oldest.firstMs };
  }
}
