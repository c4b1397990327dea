import { RATE_SECONDS } from './edge-counters.ts';
import { grown } from './grown.ts';

/**
 * Dropped packets of each edge in the last 10 s, from either end: what one end drops, the other never sees. The reason kept
 * per second is that second's majority (Boyer and Moore), which is the most frequent one in all but contrived mixtures.
 */
export class EdgeDrops {
  #capacity = 0;
  #second = new Uint32Array(0);
  #drops = new Uint32Array(0);
  #reason = new Uint8Array(0);
  #votes = new Uint32Array(0);

  reserve(edges: number): void {
    if (edges <= this.#capacity) return;
    this.#capacity = Math.max(256, this.#capacity * 2, edges);
    const buckets = this.#capacity * RATE_SECONDS;
    this.#second = grown(this.#second, buckets);
    this.#drops = grown(this.#drops, buckets);
    this.#reason = grown(this.#reason, buckets);
    this.#votes = grown(this.#votes, buckets);
  }

  add(edge: number, second: number, reason: number): void {
    const bucket = edge * RATE_SECONDS + (second % RATE_SECONDS);
    if (this.#second[bucket] !== second) {
      if (this.#second[bucket] > second) return;
      this.#second[bucket] = second;
      this.#drops[bucket] = 0;
      this.#votes[bucket] = 0;
    }
    this.#drops[bucket]++;
    if (this.#votes[bucket] === 0) {
      this.#reason[bucket] = reason;
      this.#votes[bucket] = 1;
    } else if (this.#reason[bucket] === reason) {
      this.#votes[bucket]++;
    } else {
      this.#votes[bucket]--;
    }
  }

  /** Drops in the last 10 s, and their most frequent reason (0 = none). */
  recent(edge: number, nowSecond: number): { drops: number; reason: number } {
    let drops = 0;
    const votes = new Map<number, number>();
    const first = edge * RATE_SECONDS;
    for (let bucket = first; bucket < first + RATE_SECONDS; bucket++) {
      if (this.#second[bucket] + RATE_SECONDS <= nowSecond || this.#drops[bucket] === 0) continue;
      drops += this.#drops[bucket];
      const reason = this.#reason[bucket];
      votes.set(reason, (votes.get(reason) ?? 0) + this.#votes[bucket] + 1);
    }
    let reason = 0;
    for (const [candidate, count] of votes) if (count > (votes.get(reason) ?? 0)) reason = candidate;
    return { drops, reason };
  }

  clear(edge: number): void {
    const first = edge * RATE_SECONDS;
    this.#second.fill(0, first, first + RATE_SECONDS);
    this.#drops.fill(0, first, first + RATE_SECONDS);
    this.#votes.fill(0, first, first + RATE_SECONDS);
  }
}
