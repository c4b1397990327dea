import { RATE_SECONDS } from './rate-window.ts';

/** Latencies are counted in steps of a quarter of a doubling, from 16 µs to 67 s. */
const LEAST_EXPONENT = 4;
const STEPS_PER_DOUBLING = 4;
const BUCKETS = 22 * STEPS_PER_DOUBLING;

/** Requests of one edge in the last 10 s. */
export interface RecentRequests {
  readonly requests: number;
  readonly answers: number;
  readonly failures: number;
  /** Microseconds that half, and 99 %, of the answers took at most; 0 = not known. */
  readonly p50Micros: number;
  readonly p99Micros: number;
}

export const NO_REQUESTS: RecentRequests = { requests: 0, answers: 0, failures: 0, p50Micros: 0, p99Micros: 0 };

/** What one end's proxy has told, in buckets of a second. */
class Told {
  readonly second = new Uint32Array(RATE_SECONDS);
  readonly requests = new Uint32Array(RATE_SECONDS);
  readonly answers = new Uint32Array(RATE_SECONDS);
  readonly failures = new Uint32Array(RATE_SECONDS);
  /** Second % 10 × step of latency; saturates. */
  readonly latency = new Uint16Array(RATE_SECONDS * BUCKETS);

  /** Index of the bucket; -1 for a row older than the window. */
  at(second: number): number {
    const bucket = second % RATE_SECONDS;
    if (this.second[bucket] === second) return bucket;
    if (this.second[bucket] > second) return -1;
    this.second[bucket] = second;
    this.requests[bucket] = 0;
    this.answers[bucket] = 0;
    this.failures[bucket] = 0;
    this.latency.fill(0, bucket * BUCKETS, (bucket + 1) * BUCKETS);
    return bucket;
  }

  isRecent(bucket: number, nowSecond: number): boolean {
    return this.second[bucket] + RATE_SECONDS > nowSecond;
  }

  sum(nowSecond: number): RecentRequests {
    let [requests, answers, failures, timed] = [0, 0, 0, 0];
    const latency = new Float64Array(BUCKETS);
    for (let bucket = 0; bucket < RATE_SECONDS; bucket++) {
      if (!this.isRecent(bucket, nowSecond)) continue;
      requests += this.requests[bucket];
      answers += this.answers[bucket];
      failures += this.failures[bucket];
      for (let step = 0; step < BUCKETS; step++) {
        const count = this.latency[bucket * BUCKETS + step];
        latency[step] += count;
        timed += count;
      }
    }
    return {
      // Of some only the answer is told, of others it has not come yet.
      requests: Math.max(requests, answers),
      answers,
      failures,
      p50Micros: quantile(latency, timed, 0.5),
      p99Micros: quantile(latency, timed, 0.99),
    };
  }
}

/**
 * Requests, their answers and how long these took, of edges where a proxy tells of them: others take no memory. The server's end
 * stands for the edge; the client's where the server's is silent.
 */
export class EdgeRequests {
  readonly #atServer = new Map<number, Told>();
  readonly #atClient = new Map<number, Told>();

  add(
    edge: number,
    second: number,
    atServer: boolean,
    asks: boolean,
    answers: boolean,
    fails: boolean,
    latencyMicros: number,
  ): void {
    const ends = atServer ? this.#atServer : this.#atClient;
    let told = ends.get(edge);
    if (told === undefined) {
      told = new Told();
      ends.set(edge, told);
    }
    const bucket = told.at(second);
    if (bucket < 0) return;
    if (asks) told.requests[bucket]++;
    if (!answers) return;
    told.answers[bucket]++;
    if (fails) told.failures[bucket]++;
    if (latencyMicros === 0) return;
    const step = bucket * BUCKETS + stepOf(latencyMicros);
    if (told.latency[step] < 0xffff) told.latency[step]++;
  }

  /** Whether the server's end has told of requests within the last 10 s. */
  #toldByServer(edge: number, nowSecond: number): boolean {
    const told = this.#atServer.get(edge);
    if (told === undefined) return false;
    for (let bucket = 0; bucket < RATE_SECONDS; bucket++) if (told.isRecent(bucket, nowSecond)) return true;
    return false;
  }

  recent(edge: number, nowSecond: number): RecentRequests {
    const ends = this.#toldByServer(edge, nowSecond) ? this.#atServer : this.#atClient;
    return ends.get(edge)?.sum(nowSecond) ?? NO_REQUESTS;
  }

  clear(edge: number): void {
    this.#atServer.delete(edge);
    this.#atClient.delete(edge);
  }
}

function stepOf(micros: number): number {
  const step = Math.floor((Math.log2(micros) - LEAST_EXPONENT) * STEPS_PER_DOUBLING);
  return Math.max(0, Math.min(BUCKETS - 1, step));
}

/** Within its step it is taken to lie in the middle. */
function quantile(latency: Float64Array, count: number, share: number): number {
  if (count === 0) return 0;
  let left = Math.ceil(count * share);
  for (let step = 0; step < BUCKETS; step++) {
    left -= latency[step];
    if (left <= 0) return Math.round(2 ** (LEAST_EXPONENT + (step + 0.5) / STEPS_PER_DOUBLING));
  }
  return 0;
}
