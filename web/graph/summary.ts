import type { GroupedEdge } from './group.ts';
import { type EdgeVerdict, edgeVerdict, type ModelEdge } from './model.ts';

/** What the edges of one arrow, door or card amount to together. Rates per second over the last 10 s. */
export interface Summary {
  readonly flows: number;
  readonly connections: number;
  readonly bytes: number;
  readonly replyBytes: number;
  readonly forwarded: number;
  readonly dropped: number;
  readonly audited: number;
  /** Weighted by connections; microseconds, 0 = not known. */
  readonly rttMicros: number;
  readonly retransmits: number;
  readonly dropReason: number;
  readonly lastSeen: number;
  readonly verdict: EdgeVerdict;
}

export function summarize(edges: readonly ModelEdge[]): Summary {
  let flows = 0;
  let connections = 0;
  let bytes = 0;
  let replyBytes = 0;
  let forwarded = 0;
  let dropped = 0;
  let audited = 0;
  let rttSum = 0;
  let rttWeight = 0;
  let retransmits = 0;
  let dropReason = 0;
  let mostDropped = 0;
  let lastSeen = 0;
  for (const { stats } of edges) {
    flows += stats.flows;
    connections += stats.connections;
    bytes += stats.bytes;
    replyBytes += stats.replyBytes;
    forwarded += stats.forwarded;
    dropped += stats.dropped;
    audited += stats.audited;
    retransmits += stats.retransmits;
    lastSeen = Math.max(lastSeen, stats.lastSeen);
    if (stats.rttMicros > 0) {
      const weight = Math.max(stats.connections, 0.01);
      rttSum += stats.rttMicros * weight;
      rttWeight += weight;
    }
    if (stats.dropped > mostDropped) {
      mostDropped = stats.dropped;
      dropReason = stats.dropReason;
    }
  }
  return {
    flows,
    connections,
    bytes,
    replyBytes,
    forwarded,
    dropped,
    audited,
    rttMicros: rttWeight > 0 ? rttSum / rttWeight : 0,
    retransmits,
    dropReason,
    lastSeen,
    verdict: edgeVerdict({ forwarded, dropped, audited }),
  };
}

/** Flows of an arrow that are dropped, per minute. */
export function dropsPerMinute(summary: Pick<Summary, 'dropped'>): number {
  return summary.dropped * 6;
}

export function summarizeGroup(edge: GroupedEdge): Summary {
  return summarize(edge.members);
}
