import type { MapModel } from './model.ts';

/** Samples kept per card, and the time between two: three minutes. */
export const HISTORY_SAMPLES = 90;
export const HISTORY_STEP_MS = 2_000;

export interface RateSeries {
  /** Per second, oldest first; as long as the card is known, at most HISTORY_SAMPLES. */
  readonly flows: readonly number[];
  /** Share of flows dropped, as a rate per second. */
  readonly dropped: readonly number[];
}

interface Ring {
  readonly flows: Float32Array;
  readonly dropped: Float32Array;
  length: number;
}

/** Rates of each card over the last minutes, for the small charts. */
export class RateHistory {
  readonly #rings = new Map<string, Ring>();
  #at = 0;

  /** Takes one sample of every card. */
  sample(model: MapModel): void {
    const sums = new Map<string, { flows: number; dropped: number }>();
    for (const edge of model.edges.values()) {
      for (const key of edge.source === edge.destination ? [edge.source] : [edge.source, edge.destination]) {
        const sum = sums.get(key) ?? { flows: 0, dropped: 0 };
        sum.flows += edge.stats.flows;
        // Flows by verdict are counted over 10 s.
        sum.dropped += edge.stats.dropped / 10;
        sums.set(key, sum);
      }
    }
    this.#at = (this.#at + 1) % HISTORY_SAMPLES;
    for (const key of model.cards.keys()) {
      let ring = this.#rings.get(key);
      if (ring === undefined) {
        ring = { flows: new Float32Array(HISTORY_SAMPLES), dropped: new Float32Array(HISTORY_SAMPLES), length: 0 };
        this.#rings.set(key, ring);
      }
      ring.flows[this.#at] = sums.get(key)?.flows ?? 0;
      ring.dropped[this.#at] = sums.get(key)?.dropped ?? 0;
      ring.length = Math.min(ring.length + 1, HISTORY_SAMPLES);
    }
    for (const key of this.#rings.keys()) if (!model.cards.has(key)) this.#rings.delete(key);
  }

  of(key: string): RateSeries {
    const ring = this.#rings.get(key);
    if (ring === undefined) return { flows: [], dropped: [] };
    const order = Array.from(
      { length: ring.length },
      (_, index) => (this.#at - ring.length + 1 + index + HISTORY_SAMPLES) % HISTORY_SAMPLES,
    );
    return { flows: order.map((at) => ring.flows[at]), dropped: order.map((at) => ring.dropped[at]) };
  }

  clear(): void {
    this.#rings.clear();
  }
}
