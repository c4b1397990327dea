import {
  type Card,
  CardKind as CardKindNumber,
  type Edge,
  type EdgeStats as EdgeStatsMessage,
  type MapUpdate,
} from '#proto/gen/waggle/v1/view_pb.ts';
import { packStats } from '../graph/edge-stats.ts';
import type { MapDelta, NumberedEdge } from '../graph/map-delta.ts';
import { type CardKind, type EdgeStats, edgeKey, type ModelCard } from '../graph/model.ts';
import { milliseconds } from './milliseconds.ts';

/** Edges that have gone and whose numbers are remembered, at least. */
const LEAST_REMEMBERED = 10_000;

/**
 * The map of one view. A stream's numbers for cards and edges are good for that stream only; here they become keys (and, for
 * edges, numbers that outlast a stream), so that a new stream's snapshot finds every card where it stood.
 */
export class MapStore {
  /** By the stream's numbers. */
  readonly #cards = new Map<number, ModelCard>();
  readonly #edges = new Map<number, NumberedEdge>();
  readonly #edgeNumbers = new Map<string, number>();
  /** Never given twice: others may still hold one that was forgotten here. */
  #nextNumber = 0;
  #omittedCards = 0;
  #omittedEdges = 0;
  #knownSince = 0;
  /** Whether the server has told anything yet: an empty map is not the same as none. */
  known = false;

  /** Applies an update; returns the same change by keys. */
  apply(update: MapUpdate): MapDelta {
    this.known = true;
    if (update.snapshot) {
      this.#cards.clear();
      this.#edges.clear();
      this.#knownSince = milliseconds(update.knownSince);
    }
    const removedEdges = update.removedEdges.flatMap((id) => this.#edges.get(id)?.id ?? []);
    for (const id of update.removedEdges) this.#edges.delete(id);
    const removedCards = update.removedCards.flatMap((id) => this.#cards.get(id)?.key ?? []);
    for (const id of update.removedCards) this.#cards.delete(id);
    const cards = update.cards.map((message) => {
      const card = modelCard(message);
      this.#cards.set(message.id, card);
      return card;
    });
    const edges = update.edges.flatMap((message) => this.#edge(message) ?? []);
    const stats: [number, EdgeStats][] = [];
    for (const message of update.stats) {
      const edge = this.#edges.get(message.edge);
      if (edge === undefined) continue;
      Object.assign(edge.stats, edgeStats(message));
      stats.push([edge.id, edge.stats]);
    }
    this.#forget();
    this.#omittedCards = update.omittedCards;
    this.#omittedEdges = update.omittedEdges;
    return {
      snapshot: update.snapshot,
      cards,
      edges,
      stats: packStats(stats),
      removedCards,
      removedEdges,
      omittedCards: this.#omittedCards,
      omittedEdges: this.#omittedEdges,
      time: milliseconds(update.time),
      knownSince: this.#knownSince,
    };
  }

  /** Everything, for a tab that joins. */
  snapshot(): MapDelta {
    return {
      snapshot: true,
      cards: [...this.#cards.values()],
      edges: [...this.#edges.values()],
      stats: new Float64Array(0),
      removedCards: [],
      removedEdges: [],
      omittedCards: this.#omittedCards,
      omittedEdges: this.#omittedEdges,
      time: 0,
      knownSince: this.#knownSince,
    };
  }

  /** In days, a page sees edges without end: a scan of ports alone makes 65,000. */
  #forget(): void {
    if (this.#edgeNumbers.size <= Math.max(LEAST_REMEMBERED, 2 * this.#edges.size)) return;
    this.#edgeNumbers.clear();
    for (const { key, id } of this.#edges.values()) this.#edgeNumbers.set(key, id);
  }

  #edge(message: Edge): NumberedEdge | undefined {
    const source = this.#cards.get(message.source)?.key;
    const destination = this.#cards.get(message.destination)?.key;
    if (source === undefined || destination === undefined) return undefined;
    const key = edgeKey(source, destination, message.port, message.protocol);
    let id = this.#edgeNumbers.get(key);
    if (id === undefined) {
      id = this.#nextNumber++;
      this.#edgeNumbers.set(key, id);
    }
    const edge: NumberedEdge = {
      id,
      key,
      source,
      destination,
      port: message.port,
      protocol: message.protocol,
      firstSeen: milliseconds(message.firstSeen),
      stats: edgeStats(message.stats),
      ...(message.services.length === 0 ? {} : { services: message.services }),
    };
    this.#edges.set(message.id, edge);
    return edge;
  }
}

const KINDS: Record<CardKindNumber, CardKind> = {
  [CardKindNumber.UNSPECIFIED]: 'unknown',
  [CardKindNumber.WORKLOAD]: 'workload',
  [CardKindNumber.WORLD]: 'world',
  [CardKindNumber.HOST]: 'host',
  [CardKindNumber.REMOTE_NODE]: 'remote-node',
  [CardKindNumber.UNKNOWN]: 'unknown',
};

function modelCard(message: Card): ModelCard {
  return {
    key: message.key,
    kind: KINDS[message.kind] ?? 'unknown',
    cluster: message.cluster,
    namespace: message.namespace,
    workloadKind: message.workloadKind,
    name: message.name,
    labels: message.labels,
    members: message.members,
    replicas: message.replicas,
    nodes: message.nodes,
    identity: message.identity,
    firstSeen: milliseconds(message.firstSeen),
    lastSeen: milliseconds(message.lastSeen),
  };
}

function edgeStats(message: EdgeStatsMessage | undefined): EdgeStats {
  return {
    connections: message?.connectionsPerSecond ?? 0,
    flows: message?.flowsPerSecond ?? 0,
    bytes: message?.bytesPerSecond ?? 0,
    replyBytes: message?.replyBytesPerSecond ?? 0,
    totalConnections: Number(message?.connections ?? 0),
    totalBytes: Number(message?.bytes ?? 0),
    totalReplyBytes: Number(message?.replyBytes ?? 0),
    forwarded: message?.forwarded ?? 0,
    dropped: message?.dropped ?? 0,
    audited: message?.audited ?? 0,
    rttMicros: message?.rttMicros ?? 0,
    retransmits: message?.retransmits ?? 0,
    lastSeen: milliseconds(message?.lastSeen),
    dropReason: message?.dropReason ?? 0,
    requests: message?.requestsPerSecond ?? 0,
    answers: message?.answers ?? 0,
    failures: message?.failures ?? 0,
    p50Micros: message?.latencyP50Micros ?? 0,
    p99Micros: message?.latencyP99Micros ?? 0,
  };
}
