import { workloadCardKey } from '#core/card/card-name.ts';
import { STAT_FIELDS } from './edge-stats.ts';
import { type EdgeStats, edgeKey, type MapModel, type ModelCard, type ModelEdge } from './model.ts';

/** What of several edges together is not their sum. */
const GREATEST: ReadonlySet<keyof EdgeStats> = new Set(['rttMicros', 'lastSeen', 'dropReason']);

/**
 * The model with the Services between clients and backends: `client → Service → backend` instead of one edge. Where clients came
 * through several Services, the first that was seen stands for all, as traffic is counted by backend.
 */
export function withServices(model: MapModel): MapModel {
  const cards = new Map<string, ModelCard>(model.cards);
  const edges = new Map<string, ModelEdge>();
  const parts = new Map<string, ModelEdge[]>();
  for (const [key, edge] of model.edges) {
    const service = edge.services?.[0];
    const destination = model.cards.get(edge.destination);
    if (service === undefined || destination === undefined) {
      edges.set(key, edge);
      continue;
    }
    const card = serviceCard(service, destination, edge);
    if (!cards.has(card.key)) cards.set(card.key, card);
    for (const [from, to] of [
      [edge.source, card.key],
      [card.key, edge.destination],
    ] as const) {
      const half = edgeKey(from, to, edge.port, edge.protocol);
      const known = parts.get(half);
      if (known === undefined) parts.set(half, [edge]);
      else known.push(edge);
      if (known === undefined) edges.set(half, { ...edge, key: half, source: from, destination: to, services: [] });
    }
  }
  for (const [key, own] of parts) {
    const firstSeen = Math.min(...own.map((edge) => edge.firstSeen));
    edges.set(key, { ...edges.get(key)!, firstSeen, stats: own.length === 1 ? own[0].stats : together(own) });
  }
  const { omittedCards, omittedEdges, knownSince, clockAhead } = model;
  return { cards, edges, omittedCards, omittedEdges, knownSince, clockAhead };
}

function serviceCard(service: string, { cluster }: ModelCard, { firstSeen, stats }: ModelEdge): ModelCard {
  const slash = service.indexOf('/');
  const [namespace, name] = [service.slice(0, slash), service.slice(slash + 1)];
  return {
    ...{ kind: 'workload', cluster, namespace, name, labels: [], members: 0, replicas: 0, nodes: [], identity: 0 },
    key: workloadCardKey(cluster, namespace, 'Service', name),
    workloadKind: 'Service',
    firstSeen,
    lastSeen: stats.lastSeen,
  };
}

/** Reads through: the statistics of the parts change in place. */
function together(parts: readonly ModelEdge[]): EdgeStats {
  const stats = {} as EdgeStats;
  for (const field of STAT_FIELDS) {
    const get = GREATEST.has(field)
      ? () => Math.max(...parts.map((edge) => edge.stats[field]))
      : () => parts.reduce((sum, edge) => sum + edge.stats[field], 0);
    Object.defineProperty(stats, field, { get, enumerable: true });
  }
  return stats;
}
