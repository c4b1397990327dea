import { create } from '@bufbuild/protobuf';
import type { CardKind } from '#core/card/card-name.ts';
import {
  CardKind as CardKindNumber,
  type Card as CardMessage,
  CardSchema,
  type Edge,
  EdgeSchema,
  type EdgeStats,
  EdgeStatsSchema,
  type MapUpdate,
  MapUpdateSchema,
} from '#proto/gen/waggle/v1/view_pb.ts';
import { timestamp } from '../timestamp.ts';
import type { Card, CardTable } from './card-table.ts';
import type { EdgeTable } from './edge-table.ts';
import type { FirstSeen } from './first-seen.ts';
import { RATE_SECONDS } from './rate-window.ts';

/** What of a live map is told. */
export interface MapState {
  readonly cards: CardTable;
  readonly edges: EdgeTable;
  readonly firstSeen: FirstSeen | undefined;
  /** What went with each version of late, the oldest first. */
  readonly removals: readonly Removal[];
}

/** What a version took from the map, by number. */
export interface Removal {
  readonly version: number;
  readonly cards: readonly number[];
  readonly edges: readonly number[];
}

export function snapshot(map: MapState, nowMs: number): MapUpdate {
  return create(MapUpdateSchema, {
    snapshot: true,
    knownSince: map.firstSeen?.sinceMs === undefined ? undefined : timestamp(map.firstSeen.sinceMs),
    time: timestamp(nowMs),
    cards: map.cards.cards.flatMap((card) => (card === undefined ? [] : [cardMessage(map, card)])),
    edges: [...map.edges.indexes()].map((edge) => edgeMessage(map, edge, nowMs)),
    omittedCards: map.cards.omitted.count,
    omittedEdges: map.edges.omitted.count,
  });
}

/** Undefined when nothing changed after that version. */
export function changesSince(map: MapState, version: number, nowMs: number): MapUpdate | undefined {
  const cards: CardMessage[] = [];
  for (const card of map.cards.cards) {
    if (card !== undefined && card.changedVersion > version) cards.push(cardMessage(map, card));
  }
  const edges: Edge[] = [];
  const stats: EdgeStats[] = [];
  for (const edge of map.edges.indexes()) {
    if (map.edges.createdVersion[edge] > version) edges.push(edgeMessage(map, edge, nowMs));
    else if (map.edges.changedVersion[edge] > version) stats.push(statsMessage(map, edge, nowMs));
  }
  const removed = map.removals.filter((removal) => removal.version > version);
  if (cards.length + edges.length + stats.length + removed.length === 0) return undefined;
  return create(MapUpdateSchema, {
    time: timestamp(nowMs),
    cards,
    edges,
    stats,
    removedCards: removed.flatMap((removal) => removal.cards),
    removedEdges: removed.flatMap((removal) => removal.edges),
    omittedCards: map.cards.omitted.count,
    omittedEdges: map.edges.omitted.count,
  });
}

const KINDS: Record<CardKind, CardKindNumber> = {
  workload: CardKindNumber.WORKLOAD,
  world: CardKindNumber.WORLD,
  host: CardKindNumber.HOST,
  'remote-node': CardKindNumber.REMOTE_NODE,
  unknown: CardKindNumber.UNKNOWN,
};

function cardMessage({ cards, firstSeen }: MapState, card: Card): CardMessage {
  const { name } = card;
  return create(CardSchema, {
    id: card.id,
    key: name.key,
    kind: KINDS[name.kind],
    cluster: name.cluster,
    namespace: name.namespace,
    workloadKind: name.workloadKind,
    name: name.name,
    labels: cards.labelsOf(card),
    members: card.members.size,
    replicas: card.replicas,
    nodes: cards.nodesOf(card),
    identity: name.identity,
    firstSeen: timestamp(Math.min(card.firstSeenMs, firstSeen?.ofCard(name.key) ?? card.firstSeenMs)),
    lastSeen: timestamp(cards.lastSeenMs[card.index]),
  });
}

function edgeMessage(map: MapState, edge: number, nowMs: number): Edge {
  const { edges, cards } = map;
  const source = cards.cards[edges.source[edge]]!;
  const destination = cards.cards[edges.destination[edge]]!;
  const seenMs = edges.firstSeenMs[edge];
  const everMs = map.firstSeen?.ofEdge(source.name.key, destination.name.key, edges.portProtocol[edge]);
  return create(EdgeSchema, {
    id: edges.id[edge],
    source: source.id,
    destination: destination.id,
    port: Math.floor(edges.portProtocol[edge] / 256),
    protocol: edges.portProtocol[edge] % 256,
    firstSeen: timestamp(Math.min(seenMs, everMs ?? seenMs)),
    stats: statsMessage(map, edge, nowMs),
    services: edges.services[edge] ?? [],
  });
}

function statsMessage({ edges }: MapState, edge: number, nowMs: number): EdgeStats {
  const isCounted = edges.counted.records[edge] > 0;
  const counters = isCounted ? edges.counted : edges.spare;
  const counted = edges.counted.recent(edge, nowMs);
  const spare = edges.spare.recent(edge, nowMs);
  const recent = isCounted ? counted : spare;
  const { drops, perSecond, reason } = edges.drops.recent(edge, nowMs);
  const second = Math.floor(nowMs / 1000);
  const requests = edges.requests.recent(edge, second);
  // Either end may be the one that audits.
  const audited = Math.max(counted.audited, Math.min(spare.audited, recent.flows));
  return create(EdgeStatsSchema, {
    edge: edges.id[edge],
    connectionsPerSecond: recent.connectionsPerSecond,
    flowsPerSecond: recent.flowsPerSecond + perSecond,
    bytesPerSecond: recent.bytesPerSecond,
    replyBytesPerSecond: recent.replyBytesPerSecond,
    connections: BigInt(counters.connections[edge]),
    bytes: BigInt(counters.bytes[edge]),
    replyBytes: BigInt(counters.replyBytes[edge]),
    packets: BigInt(counters.packets[edge]),
    replyPackets: BigInt(counters.replyPackets[edge]),
    forwarded: recent.flows - audited,
    dropped: drops,
    audited,
    rttMicros: edges.rtt.median(edge),
    // Each end knows of its own.
    retransmits: edges.counted.retransmits[edge] + edges.spare.retransmits[edge],
    lastSeen: timestamp(edges.lastSeenMs[edge]),
    dropReason: reason,
    // Of the last ten buckets, of which the newest is still filling.
    requestsPerSecond: requests.requests / (RATE_SECONDS - 1 + nowMs / 1000 - second),
    answers: requests.answers,
    failures: requests.failures,
    latencyP50Micros: requests.p50Micros,
    latencyP99Micros: requests.p99Micros,
  });
}
