export interface BackoffLimits {
  /** Milliseconds before the second attempt. */
  readonly firstMs: number;
  readonly mostMs: number;
}

const DEFAULT_BACKOFF: BackoffLimits = { firstMs: 1_000, mostMs: 60_000 };

/** Waits that double from attempt to attempt. Each is varied by up to a fifth, so that many peers do not come back at once. */
export class Backoff {
  readonly #limits: BackoffLimits;
  readonly #random: () => number;
  #nextMs: number;

  constructor(limits: BackoffLimits = DEFAULT_BACKOFF, random: () => number = Math.random) {
    this.#limits = limits;
    this.#random = random;
    this.#nextMs = limits.firstMs;
  }

  /** Milliseconds to wait now. */
  next(): number {
    const wait = this.#nextMs * (0.8 + 0.4 * this.#random());
    this.#nextMs = Math.min(this.#nextMs * 2, this.#limits.mostMs);
    return Math.min(wait, this.#limits.mostMs);
  }

  reset(): void {
    this.#nextMs = this.#limits.firstMs;
  }
}
