const SPAN_SECONDS = 10;

/** Events per second over the last ten whole seconds. */
export class FlowRate {
  readonly #counts = new Float64Array(SPAN_SECONDS + 1);
  readonly #startedMs: number;
  #second = 0;

  constructor(nowMs: number = performance.now()) {
    this.#startedMs = nowMs;
  }

  add(count: number, nowMs: number = performance.now()): void {
    this.#advance(nowMs);
    this.#counts[this.#second % this.#counts.length] += count;
  }

  perSecond(nowMs: number = performance.now()): number {
    this.#advance(nowMs);
    // The running second is not over: it would read as a dip.
    const whole = Math.min(SPAN_SECONDS, this.#second);
    if (whole === 0) return this.#counts[0];
    let sum = 0;
    for (let back = 1; back <= whole; back++) sum += this.#counts[(this.#second - back) % this.#counts.length];
    return sum / whole;
  }

  #advance(nowMs: number): void {
    const second = Math.floor((nowMs - this.#startedMs) / 1000);
    const from = Math.max(this.#second, second - this.#counts.length);
    for (let next = from + 1; next <= second; next++) this.#counts[next % this.#counts.length] = 0;
    this.#second = Math.max(this.#second, second);
  }
}
