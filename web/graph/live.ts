import type { DetailedGraph } from './level-of-detail.ts';
import type { ArrowVerdict, EdgeVerdict, ModelEdge } from './model.ts';
import { quietStep } from './quiet.ts';
import { answeredShare, dropsPerMinute, forwardedShare, type Summary, summarize, triesPerSecond } from './summary.ts';

/** What changes with the traffic, per card. */
export interface CardLive {
  /** Flows per second: those it receives, or, where it only sends, those it sends. */
  readonly rate: number;
  readonly doors: readonly DoorLive[];
  /** All that comes in by other ways: ports without a door, what has no ports. Undefined = nothing does. */
  readonly rest?: DoorLive | undefined;
  /** How far it has faded (`quiet.ts`). */
  readonly quiet: number;
}

export interface DoorLive {
  readonly rate: number;
  /** 0 = not known. */
  readonly rttMicros: number;
  /** Connections opened and dropped, per second (`summary.ts`), and the share of them that got through; 1 without any. */
  readonly tries: number;
  readonly forwardedShare: number;
  /** Share of answers that are no failures, where enough are told to mean it; else -1. */
  readonly answeredShare: number;
  /** Of answers; microseconds, 0 = not known. */
  readonly p99Micros: number;
  readonly verdict: EdgeVerdict;
}

/** What changes with the traffic, per arrow. */
export interface EdgeLive {
  readonly verdict: ArrowVerdict;
  /** Pixels: by rate, in few steps so that it changes rarely. */
  readonly width: number;
  readonly rate: number;
  readonly connections: number;
  readonly bytes: number;
  readonly replyBytes: number;
  readonly rttMicros: number;
  /** Requests per second, where they are told; share of answers that are no failures, -1 = none. */
  readonly requests: number;
  readonly answeredShare: number;
  readonly p99Micros: number;
  readonly dropsPerMinute: number;
  /** Hubble's number; 0 = none. */
  readonly dropReason: number;
  /** How far it has faded (`quiet.ts`). */
  readonly quiet: number;
}

/** By the server's clock, milliseconds since 1970, and the silence after which something leaves. */
export interface QuietClock {
  readonly now: number;
  readonly quietAfterMs: number;
}

/** One failure of fewer answers in 10 s says little about a server's health. */
const ENOUGH_ANSWERS = 5;

export interface LiveNumbers {
  readonly cards: ReadonlyMap<string, CardLive>;
  readonly edges: ReadonlyMap<string, EdgeLive>;
}

/** `byBytes`: arrows are as wide as what they carry, else as what happens on them. */
export function liveNumbers(graph: DetailedGraph, clock: QuietClock, byBytes = false): LiveNumbers {
  const quiet = (lastSeen: number) => (lastSeen > 0 ? quietStep(clock.now - lastSeen, clock.quietAfterMs) : 0);
  const incoming = new Map<string, ModelEdge[]>();
  const outgoing = new Map<string, ModelEdge[]>();
  const byDoor = new Map<string, ModelEdge[]>();
  const edges = new Map<string, EdgeLive>();
  for (const edge of graph.edges) {
    edges.set(edge.key, edgeLive(summarize(edge.members), quiet, byBytes));
    append(incoming, edge.destination, edge.members);
    append(outgoing, edge.source, edge.members);
    for (const member of edge.members)
      append(byDoor, `${edge.destination}#${member.port}/${member.protocol}`, [member]);
  }
  const cards = new Map<string, CardLive>();
  for (const { key, card, doors } of graph.cards) {
    const lastSeen = [incoming.get(key) ?? [], outgoing.get(key) ?? []]
      .flat()
      .reduce((latest, { stats }) => Math.max(latest, stats.lastSeen), card.lastSeen);
    const received = rate(incoming.get(key));
    const others = (incoming.get(key) ?? []).filter(
      (edge) => !doors.some(({ port, protocol }) => port === edge.port && protocol === edge.protocol),
    );
    cards.set(key, {
      rate: received > 0 || !outgoing.has(key) ? received : rate(outgoing.get(key)),
      doors: doors.map(({ port, protocol }) => doorLive(summarize(byDoor.get(`${key}#${port}/${protocol}`) ?? []))),
      rest: others.length === 0 ? undefined : doorLive(summarize(others)),
      quiet: quiet(lastSeen),
    });
  }
  return { cards, edges };
}

function edgeLive(summary: Summary, quiet: (lastSeen: number) => number, byBytes: boolean): EdgeLive {
  return {
    verdict: summary.verdict,
    width: edgeWidth(byBytes ? (summary.bytes + summary.replyBytes) / 1000 : summary.flows),
    rate: rounded(summary.flows),
    connections: rounded(summary.connections),
    bytes: rounded(summary.bytes),
    replyBytes: rounded(summary.replyBytes),
    rttMicros: Math.round(summary.rttMicros),
    requests: rounded(summary.requests),
    answeredShare: answeredShare(summary),
    p99Micros: Math.round(summary.p99Micros),
    dropsPerMinute: dropsPerMinute(summary),
    dropReason: summary.dropReason,
    quiet: quiet(summary.lastSeen),
  };
}

function doorLive(summary: Summary): DoorLive {
  const share = forwardedShare(summary);
  return {
    rate: rounded(summary.flows),
    rttMicros: Math.round(summary.rttMicros),
    tries: rounded(triesPerSecond(summary)),
    forwardedShare: share < 0 ? 1 : share,
    answeredShare: summary.answers >= ENOUGH_ANSWERS ? answeredShare(summary) : -1,
    p99Micros: Math.round(summary.p99Micros),
    verdict: summary.verdict,
  };
}

/** Of flows, or of kilobytes, per second: 1.25 px for a trickle, half a pixel more per factor of 3, 5.25 px at most. */
export function edgeWidth(perSecond: number): number {
  if (perSecond <= 1) return 1.25;
  return Math.min(5.25, 1.25 + 0.5 * Math.floor(Math.log(perSecond) / Math.log(3) + 1));
}

function rate(edges: readonly ModelEdge[] | undefined): number {
  return rounded(edges?.reduce((sum, { stats }) => sum + stats.flows, 0) ?? 0);
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function append(map: Map<string, ModelEdge[]>, key: string, values: readonly ModelEdge[]): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [...values]);
  else list.push(...values);
}
