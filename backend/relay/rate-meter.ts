const SECONDS = 10;

/** Counts events and tells how many there were per second, as the mean of the last 10 s. */
export class RateMeter {
  readonly #counts = new Float64Array(SECONDS);
  readonly #seconds = new Float64Array(SECONDS).fill(-1);
  total = 0;

  add(count: number, nowMs: number = Date.now()): void {
    const second = Math.floor(nowMs / 1000);
    const bucket = second % SECONDS;
    if (this.#seconds[bucket] !== second) {
      this.#seconds[bucket] = second;
      this.#counts[bucket] = 0;
    }
    this.#counts[bucket] += count;
    this.total += count;
  }

  perSecond(nowMs: number = Date.now()): number {
    const second = Math.floor(nowMs / 1000);
    let sum = 0;
    for (let bucket = 0; bucket < SECONDS; bucket++) {
      if (this.#seconds[bucket] > second - SECONDS) sum += this.#counts[bucket];
    }
    return sum / SECONDS;
  }
}
