import { grown } from './grown.ts';
import { isRecentSecond, RATE_SECONDS, shareInWindow } from './rate-window.ts';

/** The window, and the second that slides out of it. */
const BUCKETS = RATE_SECONDS + 1;

/**
 * Dropped packets of each edge in the last 10 s, from either end: what one end drops, the other never sees. Of very many alike some
 * are told by the count in another's row. The reason kept
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
    const buckets = this.#capacity * BUCKETS;
    this.#second = grown(this.#second, buckets);
    this.#drops = grown(this.#drops, buckets);
    this.#reason = grown(this.#reason, buckets);
    this.#votes = grown(this.#votes, buckets);
  }

  add(edge: number, second: number, reason: number, packets = 1): void {
    const bucket = edge * BUCKETS + (second % BUCKETS);
    if (this.#second[bucket] !== second) {
      if (this.#second[bucket] > second) return;
      this.#second[bucket] = second;
      this.#drops[bucket] = 0;
      this.#votes[bucket] = 0;
    }
    this.#drops[bucket] += packets;
    if (this.#votes[bucket] === 0) {
      this.#reason[bucket] = reason;
      this.#votes[bucket] = 1;
    } else if (this.#reason[bucket] === reason) {
      this.#votes[bucket]++;
    } else {
      this.#votes[bucket]--;
    }
  }

  /** Drops in the last 10 s, how many that is per second, and their most frequent reason (0 = none). */
  recent(edge: number, nowMs: number): { drops: number; perSecond: number; reason: number } {
    let drops = 0;
    let sum = 0;
    const votes = new Map<number, number>();
    const first = edge * BUCKETS;
    for (let bucket = first; bucket < first + BUCKETS; bucket++) {
      const second = this.#second[bucket];
      if (this.#drops[bucket] === 0) continue;
      sum += shareInWindow(second, nowMs) * this.#drops[bucket];
      if (!isRecentSecond(second, nowMs)) continue;
      drops += this.#drops[bucket];
      const reason = this.#reason[bucket];
      votes.set(reason, (votes.get(reason) ?? 0) + this.#votes[bucket] + 1);
    }
    let reason = 0;
    for (const [candidate, count] of votes) if (count > (votes.get(reason) ?? 0)) reason = candidate;
    return { drops, perSecond: drops === 0 ? 0 : sum / RATE_SECONDS, reason };
  }

  clear(edge: number): void {
    const first = edge * BUCKETS;
    this.#second.fill(0, first, first + BUCKETS);
    this.#drops.fill(0, first, first + BUCKETS);
    this.#votes.fill(0, first, first + BUCKETS);
  }
}
