import { grown } from './grown.ts';
import { isRecentSecond, RATE_SECONDS, shareInWindow } from './rate-window.ts';

/** Seconds between two records of a connection that goes on. */
const INTERVAL_SECONDS = 5;
/** The window, the second that slides out of it, and those over which an interval is told. A power of two. */
const BUCKETS = 16;

/** Of one edge: what was counted in the last 10 s, and rates per second over them. */
export interface Recent {
  flows: number;
  audited: number;
  connectionsPerSecond: number;
  flowsPerSecond: number;
  bytesPerSecond: number;
  replyBytesPerSecond: number;
}

/**
 * What was counted at one end of each edge's connections: totals, and buckets of one second for the rates. Indexed by
 * edge; dropped packets are not in here.
 */
export class EdgeCounters {
  #capacity = 0;
  records = new Float64Array(0);
  connections = new Float64Array(0);
  bytes = new Float64Array(0);
  replyBytes = new Float64Array(0);
  packets = new Float64Array(0);
  replyPackets = new Float64Array(0);
  retransmits = new Float64Array(0);
  // Edge × 16 + second % 16.
  #second = new Uint32Array(0);
  #connectionsIn = new Uint32Array(0);
  #flowsIn = new Uint32Array(0);
  #auditedIn = new Uint32Array(0);
  #bytesIn = new Float64Array(0);
  #replyBytesIn = new Float64Array(0);
  /** Bytes of intervals, told over the seconds that follow them. */
  #flowingIn = new Float32Array(0);
  #replyFlowingIn = new Float32Array(0);

  /** Makes room for edges below this number. */
  reserve(edges: number): void {
    if (edges <= this.#capacity) return;
    this.#capacity = Math.max(256, this.#capacity * 2, edges);
    const capacity = this.#capacity;
    this.records = grown(this.records, capacity);
    this.connections = grown(this.connections, capacity);
    this.bytes = grown(this.bytes, capacity);
    this.replyBytes = grown(this.replyBytes, capacity);
    this.packets = grown(this.packets, capacity);
    this.replyPackets = grown(this.replyPackets, capacity);
    this.retransmits = grown(this.retransmits, capacity);
    const buckets = capacity * BUCKETS;
    this.#second = grown(this.#second, buckets);
    this.#connectionsIn = grown(this.#connectionsIn, buckets);
    this.#flowsIn = grown(this.#flowsIn, buckets);
    this.#auditedIn = grown(this.#auditedIn, buckets);
    this.#bytesIn = grown(this.#bytesIn, buckets);
    this.#replyBytesIn = grown(this.#replyBytesIn, buckets);
    this.#flowingIn = grown(this.#flowingIn, buckets);
    this.#replyFlowingIn = grown(this.#replyFlowingIn, buckets);
  }

  /**
   * `flowingFrom`: of what a connection that goes on carried in an interval, where in the second its record was made (0 to 1), else -1.
   * Nobody knows when in the interval it was; told all at once, a steady stream would seem to carry double and nothing by turns.
   */
  add(
    edge: number,
    second: number,
    connections: number,
    audited: number,
    bytes: number,
    replyBytes: number,
    packets: number,
    replyPackets: number,
    retransmits: number,
    flowingFrom = -1,
  ): void {
    this.records[edge]++;
    this.connections[edge] += connections;
    this.bytes[edge] += bytes;
    this.replyBytes[edge] += replyBytes;
    this.packets[edge] += packets;
    this.replyPackets[edge] += replyPackets;
    this.retransmits[edge] += retransmits;
    const bucket = this.#bucketOf(edge, second);
    // A row older than the window has no part in the rates.
    if (bucket < 0) return;
    this.#connectionsIn[bucket] += connections;
    this.#flowsIn[bucket]++;
    this.#auditedIn[bucket] += audited;
    if (flowingFrom >= 0) this.#flow(edge, second, flowingFrom, bytes, replyBytes);
    else {
      this.#bytesIn[bucket] += bytes;
      this.#replyBytesIn[bucket] += replyBytes;
    }
  }

  recent(edge: number, nowMs: number): Recent {
    let [flows, audited] = [0, 0];
    let [connectionsIn, flowsIn, bytesIn, replyBytesIn] = [0, 0, 0, 0];
    const nowSecond = Math.floor(nowMs / 1000);
    const elapsed = nowMs / 1000 - nowSecond;
    const first = edge * BUCKETS;
    for (let bucket = first; bucket < first + BUCKETS; bucket++) {
      const second = this.#second[bucket];
      const share = shareInWindow(second, nowMs);
      if (share === 0) continue;
      if (isRecentSecond(second, nowMs)) {
        flows += this.#flowsIn[bucket];
        audited += this.#auditedIn[bucket];
      }
      // What flows in this second has flowed so far only.
      const flowed = second === nowSecond ? elapsed : share;
      connectionsIn += share * this.#connectionsIn[bucket];
      flowsIn += share * this.#flowsIn[bucket];
      bytesIn += share * this.#bytesIn[bucket] + flowed * this.#flowingIn[bucket];
      replyBytesIn += share * this.#replyBytesIn[bucket] + flowed * this.#replyFlowingIn[bucket];
    }
    // Nothing is heard of it any more.
    if (flows === 0) [connectionsIn, flowsIn, bytesIn, replyBytesIn] = [0, 0, 0, 0];
    return {
      flows,
      audited,
      connectionsPerSecond: connectionsIn / RATE_SECONDS,
      flowsPerSecond: flowsIn / RATE_SECONDS,
      bytesPerSecond: bytesIn / RATE_SECONDS,
      replyBytesPerSecond: replyBytesIn / RATE_SECONDS,
    };
  }

  clear(edge: number): void {
    this.records[edge] = 0;
    this.connections[edge] = 0;
    this.bytes[edge] = 0;
    this.replyBytes[edge] = 0;
    this.packets[edge] = 0;
    this.replyPackets[edge] = 0;
    this.retransmits[edge] = 0;
    const first = edge * BUCKETS;
    for (let bucket = first; bucket < first + BUCKETS; bucket++) this.#clearBucket(bucket, 0);
  }

  /** From then on for as long as an interval: until the next record tells of more. */
  #flow(edge: number, second: number, from: number, bytes: number, replyBytes: number): void {
    for (let step = 0; step <= INTERVAL_SECONDS; step++) {
      const bucket = this.#bucketOf(edge, second + step);
      if (bucket < 0) continue;
      const share = (step === 0 ? 1 - from : step === INTERVAL_SECONDS ? from : 1) / INTERVAL_SECONDS;
      this.#flowingIn[bucket] += share * bytes;
      this.#replyFlowingIn[bucket] += share * replyBytes;
    }
  }

  /** -1 for a second that another one has taken the place of. */
  #bucketOf(edge: number, second: number): number {
    const bucket = edge * BUCKETS + (second % BUCKETS);
    if (this.#second[bucket] === second) return bucket;
    if (this.#second[bucket] > second) return -1;
    this.#clearBucket(bucket, second);
    return bucket;
  }

  #clearBucket(bucket: number, second: number): void {
    this.#second[bucket] = second;
    this.#connectionsIn[bucket] = 0;
    this.#flowsIn[bucket] = 0;
    this.#auditedIn[bucket] = 0;
    this.#bytesIn[bucket] = 0;
    this.#replyBytesIn[bucket] = 0;
    this.#flowingIn[bucket] = 0;
    this.#replyFlowingIn[bucket] = 0;
  }
}
