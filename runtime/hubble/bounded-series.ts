import type { Counter, Histogram } from '../metrics.ts';

/** A series that nothing was counted in for so long goes: pods come and go without end. */
const IDLE_MS = 15 * 60_000;

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly pods: readonly string[];
  lastMs: number;
}

/** The series of one metric family: so many at most, and none that nobody counts in any more. */
export class BoundedSeries {
  readonly #family: Counter | Histogram;
  readonly #limit: number;
  readonly #series = new Map<string, Series>();
  #overflow = 0;

  /** @param limit of series */
  constructor(family: Counter | Histogram, limit: number) {
    this.#family = family;
    this.#limit = limit;
  }

  get size(): number {
    return this.#series.size;
  }

  /** What found no room. */
  get overflow(): number {
    return this.#overflow;
  }

  /**
   * Whether something may be counted under these labels; when not, it is counted as overflow.
   *
   * @param pods that the labels name: `namespace/name`
   */
  admits(labels: Readonly<Record<string, string>>, nowMs: number, pods: readonly string[] = []): boolean {
    const key = Object.values(labels).join('\0');
    const known = this.#series.get(key);
    if (known !== undefined) {
      known.lastMs = nowMs;
      return true;
    }
    if (this.#series.size >= this.#limit) {
      this.#overflow++;
      return false;
    }
    this.#series.set(key, { labels, pods, lastMs: nowMs });
    return true;
  }

  /** Lets go of series that have been quiet for a quarter of an hour. */
  expire(nowMs: number): void {
    for (const [key, { labels, lastMs }] of this.#series) {
      if (nowMs - lastMs >= IDLE_MS) this.#remove(key, labels);
    }
  }

  /** Lets go of the series that name one of these pods. */
  forget(gone: ReadonlySet<string>): void {
    for (const [key, { labels, pods }] of this.#series) {
      if (pods.some((pod) => gone.has(pod))) this.#remove(key, labels);
    }
  }

  #remove(key: string, labels: Readonly<Record<string, string>>): void {
    this.#series.delete(key);
    this.#family.remove(labels);
  }
}
