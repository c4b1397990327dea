import type { Counter, Histogram } from '#runtime/metrics.ts';

/** A series that nothing was counted in for so long goes: pods come and go without end. */
const IDLE_MS = 15 * 60_000;

/** The series of one metric family: so many at most, and none that nobody counts in any more. */
export class BoundedSeries {
  readonly #family: Counter | Histogram;
  readonly #limit: number;
  readonly #series = new Map<string, { readonly labels: Readonly<Record<string, string>>; lastMs: number }>();
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

  /** Whether something may be counted under these labels, in whose place nothing is when not. */
  admits(labels: Readonly<Record<string, string>>, nowMs: number): boolean {
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
    this.#series.set(key, { labels, lastMs: nowMs });
    return true;
  }

  /** Lets go of series that have been quiet for a quarter of an hour. */
  expire(nowMs: number): void {
    for (const [key, { labels, lastMs }] of this.#series) {
      if (nowMs - lastMs < IDLE_MS) continue;
      this.#series.delete(key);
      this.#family.remove(labels);
    }
  }
}
