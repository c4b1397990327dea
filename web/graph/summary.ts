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
  /** Requests that proxies tell of, per second; answers of the last 10 s and how many of them are failures. */
  readonly requests: number;
  readonly answers: number;
  readonly failures: number;
  /** Weighted by answers; microseconds, 0 = not known. */
  readonly p50Micros: number;
  /** The worst edge's. */
  readonly p99Micros: number;
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
  let requests = 0;
  let answers = 0;
  let failures = 0;
  let p50Sum = 0;
  let p50Weight = 0;
  let p99Micros = 0;
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
    requests += stats.requests;
    answers += stats.answers;
    failures += stats.failures;
    if (stats.p50Micros > 0) {
      p50Sum += stats.p50Micros * stats.answers;
      p50Weight += stats.answers;
      p99Micros = Math.max(p99Micros, stats.p99Micros);
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
    requests,
    answers,
    failures,
    p50Micros: p50Weight > 0 ? p50Sum / p50Weight : 0,
    p99Micros,
    lastSeen,
    verdict: edgeVerdict({ forwarded, dropped, audited }),
  };
}

/** Share of answers that are no failures of the server; -1 where none is told. */
export function answeredShare({ answers, failures }: Pick<Summary, 'answers' | 'failures'>): number {
  return answers > 0 ? 1 - failures / answers : -1;
}

type Fared = Pick<Summary, 'connections' | 'flows' | 'forwarded' | 'dropped' | 'audited'>;

/**
 * How often something was tried, per second: connections opened, and those that were dropped; flows where none was opened of late.
 * A connection that lives makes several flows, one that is dropped makes one: by flows, a client that is denied every second time
 * would seem to fare well.
 */
export function triesPerSecond(fared: Fared): number {
  return fared.connections > 0 ? fared.connections + droppedPerSecond(fared) : fared.flows;
}

/** Share of those that got through; -1 without any. */
export function forwardedShare(fared: Fared): number {
  const tries = triesPerSecond(fared);
  // Only what all of it is dropped is 0, however the sum is rounded.
  if (tries > 0 && fared.forwarded + fared.audited === 0) return 0;
  return tries > 0 ? 1 - droppedPerSecond(fared) / tries : -1;
}

/** Flows of an arrow that are dropped, per minute. */
export function dropsPerMinute(fared: Omit<Fared, 'connections'>): number {
  return Math.round(droppedPerSecond(fared) * 60);
}

function droppedPerSecond({ flows, forwarded, dropped, audited }: Omit<Fared, 'connections'>): number {
  return dropped > 0 ? (flows * dropped) / (forwarded + dropped + audited) : 0;
}
