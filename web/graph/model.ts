import type { CardKind } from '#core/card/card-name.ts';

export type { CardKind };

/** What the map shows before any choice of how: cards by key, and edges between them by key. */

export interface ModelCard {
  /** `cluster/namespace/kind/name`: the same across streams and restarts. */
  readonly key: string;
  readonly kind: CardKind;
  readonly cluster: string;
  readonly namespace: string;
  /** Deployment, DaemonSet, StatefulSet, Job, Pod, …; empty for anything that is not a workload. */
  readonly workloadKind: string;
  readonly name: string;
  readonly labels: readonly string[];
  /** Pods, or addresses, seen for it. */
  readonly members: number;
  /** Pods of the workload by the cluster's state; 0 = not known. */
  readonly replicas: number;
  readonly nodes: readonly string[];
  readonly identity: number;
  /** Milliseconds since 1970. */
  readonly firstSeen: number;
  readonly lastSeen: number;
}

/** Rates are means over the last 10 s, per second. */
export interface EdgeStats {
  connections: number;
  flows: number;
  bytes: number;
  replyBytes: number;
  /** Since first seen. */
  totalConnections: number;
  totalBytes: number;
  totalReplyBytes: number;
  /** Flows of the last 10 s by verdict. */
  forwarded: number;
  dropped: number;
  audited: number;
  /** Microseconds; 0 = not known. */
  rttMicros: number;
  retransmits: number;
  /** Milliseconds since 1970. */
  lastSeen: number;
  /** Hubble's number; 0 = none. */
  dropReason: number;
  /** Requests per second, where a proxy tells of them. */
  requests: number;
  /** Of the last 10 s, and those of them that are failures of the server. */
  answers: number;
  failures: number;
  /** From request to answer; microseconds, 0 = not known. */
  p50Micros: number;
  p99Micros: number;
}

export interface ModelEdge {
  /** `source key → destination key : port / protocol`. */
  readonly key: string;
  /** Card keys. The source is who opened the connection. */
  readonly source: string;
  readonly destination: string;
  /** 0 where the protocol has none. */
  readonly port: number;
  readonly protocol: number;
  /** Services that clients came through: `namespace/name`; absent = none is known. */
  readonly services?: readonly string[];
  readonly firstSeen: number;
  readonly stats: EdgeStats;
  /** Nobody was seen to do it: a rule of a policy allows it. */
  readonly permitted?: boolean;
}

export interface MapModel {
  readonly cards: ReadonlyMap<string, ModelCard>;
  readonly edges: ReadonlyMap<string, ModelEdge>;
  /** Left out by the server because the map is at its limit. */
  readonly omittedCards: number;
  readonly omittedEdges: number;
  /** Since when the server knows who talks to whom, by its clock; 0 = it cannot tell. */
  readonly knownSince: number;
  /** How far the server's clock is ahead of this machine's, in milliseconds. */
  readonly clockAhead: number;
}

/** How an edge's recent flows fared, as one word; `quiet` when there were none in the last 10 s. */
export type EdgeVerdict = 'forwarded' | 'dropped' | 'mixed' | 'audit' | 'quiet';

/**
 * How an arrow fares, or where policies are shown on the map also: `permitted`, a rule allows it and nobody does it; `open`, it
 * goes through and no policy decides.
 */
export type ArrowVerdict = EdgeVerdict | 'permitted' | 'open';

export function edgeVerdict(stats: Pick<EdgeStats, 'forwarded' | 'dropped' | 'audited'>): EdgeVerdict {
  const passed = stats.forwarded > 0;
  if (stats.dropped > 0) return passed || stats.audited > 0 ? 'mixed' : 'dropped';
  if (stats.audited > 0) return 'audit';
  return passed ? 'forwarded' : 'quiet';
}

/** The words for a verdict that stand beside its colour. */
export const VERDICT_WORDS: Record<ArrowVerdict, string> = {
  forwarded: 'forwarded',
  dropped: 'dropped',
  mixed: 'partly dropped',
  audit: 'audit',
  quiet: 'quiet',
  permitted: 'allowed, never seen',
  open: 'forwarded, no policy decides',
};

export function edgeKey(source: string, destination: string, port: number, protocol: number): string {
  return `${source}→${destination}:${port}/${protocol}`;
}
