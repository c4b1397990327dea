/** How long to wait before the next attempt: 1 s, doubling to 30 s, a fifth of it at random so that tabs do not march in step. */
export class Backoff {
  static readonly FIRST_MS = 1_000;
  static readonly MOST_MS = 30_000;
  #attempts = 0;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Attempts since the last success. */
  get attempts(): number {
    return this.#attempts;
  }

  nextMs(): number {
    const full = Math.min(Backoff.FIRST_MS * 2 ** this.#attempts, Backoff.MOST_MS);
    this.#attempts++;
    return Math.round(full * (0.8 + 0.2 * this.#random()));
  }

  reset(): void {
    this.#attempts = 0;
  }
}
