/** Random numbers that are the same in every run (mulberry32): figures of two runs differ by the machine alone. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform within [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  }

  /** Uniform integer within [0, below). */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** Exponentially distributed with this mean: gaps between independent events. */
  gap(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** Log-normally distributed around this median: sizes and durations, many small and few huge. */
  size(median: number, spread = 1): number {
    const normal = Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
    return Math.max(1, Math.round(median * Math.exp(spread * normal)));
  }

  /** An index within [0, below), small ones far more often: popularity. */
  popular(below: number): number {
    return Math.min(below - 1, Math.floor(below ** this.next()) - 1);
  }
}
