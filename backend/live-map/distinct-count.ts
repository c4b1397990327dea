const BITS = 65_536;

/**
 * Counts distinct 32-bit hashes, exactly for a few and closely up to some ten thousand (linear counting), in 8 KiB. What it
 * tells covers the current period and the one before.
 */
export class DistinctCount {
  readonly #seen = new Uint32Array(BITS / 32);
  #set = 0;
  #before = 0;

  add(hash: number): void {
    const bit = (Math.imul(hash, 0x9e3779b1) >>> 16) & (BITS - 1);
    const mask = 1 << (bit & 31);
    if (this.#seen[bit >>> 5] & mask) return;
    this.#seen[bit >>> 5] |= mask;
    this.#set++;
  }

  get count(): number {
    return Math.max(this.#before, this.#current());
  }

  /** Begins the next period. */
  roll(): void {
    this.#before = this.#current();
    if (this.#set === 0) return;
    this.#seen.fill(0);
    this.#set = 0;
  }

  #current(): number {
    if (this.#set < 256) return this.#set;
    return Math.round(-BITS * Math.log(1 - Math.min(this.#set, BITS - 1) / BITS));
  }
}
