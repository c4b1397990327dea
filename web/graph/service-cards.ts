import { workloadCardKey } from '#core/card/card-name.ts';
import { STAT_FIELDS } from './edge-stats.ts';
import { type EdgeStats, edgeKey, type MapModel, type ModelCard, type ModelEdge } from './model.ts';

/** What of several edges together is not their sum. */
const GREATEST: ReadonlySet<keyof EdgeStats> = new Set([
  'rttMicros',
  'lastSeen',
  'dropReason',
  'p50Micros',
  'p99Micros',
]);

/** Of an edge through several Services, those that its card names. */
const MOST_NAMED = 3;

/**
 * The model with the Services between clients and backends: `client → Service → backend` instead of one edge. Traffic is counted
 * by backend: where a client came through several Services, which of it through which is not known, and one card stands for all.
 */
export function withServices(model: MapModel): MapModel {
  const cards = new Map<string, ModelCard>(model.cards);
  const edges = new Map<string, ModelEdge>();
  const parts = new Map<string, ModelEdge[]>();
  for (const [key, edge] of model.edges) {
    const services = edge.services ?? [];
    const destination = model.cards.get(edge.destination);
    if (services.length === 0 || destination === undefined) {
      edges.set(key, edge);
      continue;
    }
    const card = serviceCard([...services].sort(), destination, edge);
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

function serviceCard(services: readonly string[], { cluster }: ModelCard, { firstSeen, stats }: ModelEdge): ModelCard {
  const [first = ''] = services;
  const namespace = first.slice(0, first.indexOf('/'));
  const names = services.map((service) => {
    const [of = '', name = ''] = service.split('/');
    return of === namespace ? name : `${name} (${of})`;
  });
  const more = names.length > MOST_NAMED ? [`${names.length - MOST_NAMED} more`] : [];
  const name = [...names.slice(0, MOST_NAMED), ...more].join(' + ');
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
