import { grown } from './grown.ts';

const SAMPLES = 16;
/** Samples that are so much older than the newest one are left out of the median, in seconds. */
const SPAN_SECONDS = 10;

/** The last handshake round trips of each edge. */
export class RttSamples {
  #capacity = 0;
  #micros = new Uint32Array(0);
  #second = new Uint32Array(0);
  /** How many were ever taken. */
  #taken = new Uint32Array(0);

  reserve(edges: number): void {
    if (edges <= this.#capacity) return;
    this.#capacity = Math.max(256, this.#capacity * 2, edges);
    this.#taken = grown(this.#taken, this.#capacity);
    this.#micros = grown(this.#micros, this.#capacity * SAMPLES);
    this.#second = grown(this.#second, this.#capacity * SAMPLES);
  }

  add(edge: number, second: number, micros: number): void {
    const at = edge * SAMPLES + (this.#taken[edge]++ % SAMPLES);
    this.#micros[at] = micros;
    this.#second[at] = second;
  }

  /** Median in microseconds of the last 10 s in which there were any; 0 = not known. */
  median(edge: number): number {
    const count = Math.min(this.#taken[edge], SAMPLES);
    if (count === 0) return 0;
    const first = edge * SAMPLES;
    let newest = 0;
    for (let at = first; at < first + count; at++) newest = Math.max(newest, this.#second[at]);
    const recent: number[] = [];
    for (let at = first; at < first + count; at++) {
      if (this.#second[at] > newest - SPAN_SECONDS) recent.push(this.#micros[at]);
    }
    recent.sort((a, b) => a - b);
    return recent[recent.length >> 1];
  }

  clear(edge: number): void {
    this.#taken[edge] = 0;
  }
}
