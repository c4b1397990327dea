import { grown } from './grown.ts';

/** Rates are means over this many seconds, counted in buckets of one. */
export const RATE_SECONDS = 10;

/** Sums over the last 10 s of one edge. */
export interface RecentSums {
  connections: number;
  flows: number;
  audited: number;
  bytes: number;
  replyBytes: number;
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
  // Edge × 10 + second % 10.
  #second = new Uint32Array(0);
  #connectionsIn = new Uint32Array(0);
  #flowsIn = new Uint32Array(0);
  #auditedIn = new Uint32Array(0);
  #bytesIn = new Float64Array(0);
  #replyBytesIn = new Float64Array(0);

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
    const buckets = capacity * RATE_SECONDS;
    this.#second = grown(this.#second, buckets);
    this.#connectionsIn = grown(this.#connectionsIn, buckets);
    this.#flowsIn = grown(this.#flowsIn, buckets);
    this.#auditedIn = grown(this.#auditedIn, buckets);
    this.#bytesIn = grown(this.#bytesIn, buckets);
    this.#replyBytesIn = grown(this.#replyBytesIn, buckets);
  }

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
  ): void {
    this.records[edge]++;
    this.connections[edge] += connections;
    this.bytes[edge] += bytes;
    this.replyBytes[edge] += replyBytes;
    this.packets[edge] += packets;
    this.replyPackets[edge] += replyPackets;
    this.retransmits[edge] += retransmits;
    const bucket = edge * RATE_SECONDS + (second % RATE_SECONDS);
    if (this.#second[bucket] !== second) {
      // A row older than the window has no part in the rates.
      if (this.#second[bucket] > second) return;
      this.#clearBucket(bucket, second);
    }
    this.#connectionsIn[bucket] += connections;
    this.#flowsIn[bucket]++;
    this.#auditedIn[bucket] += audited;
    this.#bytesIn[bucket] += bytes;
    this.#replyBytesIn[bucket] += replyBytes;
  }

  recent(edge: number, nowSecond: number): RecentSums {
    const sums = { connections: 0, flows: 0, audited: 0, bytes: 0, replyBytes: 0 };
    const first = edge * RATE_SECONDS;
    for (let bucket = first; bucket < first + RATE_SECONDS; bucket++) {
      if (this.#second[bucket] + RATE_SECONDS <= nowSecond) continue;
      sums.connections += this.#connectionsIn[bucket];
      sums.flows += this.#flowsIn[bucket];
      sums.audited += this.#auditedIn[bucket];
      sums.bytes += this.#bytesIn[bucket];
      sums.replyBytes += this.#replyBytesIn[bucket];
    }
    return sums;
  }

  clear(edge: number): void {
    this.records[edge] = 0;
    this.connections[edge] = 0;
    this.bytes[edge] = 0;
    this.replyBytes[edge] = 0;
    this.packets[edge] = 0;
    this.replyPackets[edge] = 0;
    this.retransmits[edge] = 0;
    const first = edge * RATE_SECONDS;
    for (let bucket = first; bucket < first + RATE_SECONDS; bucket++) this.#clearBucket(bucket, 0);
  }

  #clearBucket(bucket: number, second: number): void {
    this.#second[bucket] = second;
    this.#connectionsIn[bucket] = 0;
    this.#flowsIn[bucket] = 0;
    this.#auditedIn[bucket] = 0;
    this.#bytesIn[bucket] = 0;
    this.#replyBytesIn[bucket] = 0;
  }
}
