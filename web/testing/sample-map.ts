import { type EdgeStats, edgeKey, type MapModel, type ModelCard, type ModelEdge } from '../graph/model.ts';
import type { SceneFacts } from '../graph/scene.ts';

/** The clock of sample maps: everything in them was heard of now. */
export const NOW = 1_900_000_000_000;

/** How a whole map is drawn where nobody has chosen anything. */
export const FACTS: SceneFacts = {
  by: 'namespace',
  nameLabel: '',
  find: undefined,
  pinned: new Set(),
  namingLabels: [],
  hiddenCards: 0,
  omittedCards: 0,
  omittedEdges: 0,
};

/** A workload of cluster `c`, named `namespace/name`. */
export function card(path: string, more: Partial<ModelCard> = {}): ModelCard {
  const [namespace, name] = path.split('/');
  return {
    key: `c/${namespace}/Deployment/${name}`,
    kind: 'workload',
    cluster: 'c',
    namespace,
    workloadKind: 'Deployment',
    name,
    labels: [`k8s:app=${name}`],
    members: 1,
    replicas: 0,
    nodes: ['node1'],
    identity: 0,
    firstSeen: NOW - 60_000,
    lastSeen: NOW,
    ...more,
  };
}

export function worldCard(name = 'world', more: Partial<ModelCard> = {}): ModelCard {
  const key = `//World/${name}`;
  return card('/x', { key, kind: 'world', cluster: '', namespace: '', workloadKind: '', name, labels: [], ...more });
}

const QUIET: EdgeStats = {
  connections: 0,
  flows: 0,
  bytes: 0,
  replyBytes: 0,
  totalConnections: 0,
  totalBytes: 0,
  totalReplyBytes: 0,
  forwarded: 0,
  dropped: 0,
  audited: 0,
  rttMicros: 0,
  retransmits: 0,
  lastSeen: NOW,
  dropReason: 0,
  requests: 0,
  answers: 0,
  failures: 0,
  p50Micros: 0,
  p99Micros: 0,
};

/** Traffic to a port, 10 forwarded flows in the last 10 s where nothing else is said. */
export function edge(
  from: ModelCard,
  to: ModelCard,
  port = 80,
  stats: Partial<EdgeStats> = {},
  protocol = 6,
): ModelEdge {
  return {
    key: edgeKey(from.key, to.key, port, protocol),
    source: from.key,
    destination: to.key,
    port,
    protocol,
    firstSeen: NOW - 60_000,
    stats: { ...QUIET, flows: 1, forwarded: 10, totalConnections: 100, ...stats },
  };
}

export function mapModel(cards: readonly ModelCard[], edges: readonly ModelEdge[]): MapModel {
  return {
    cards: new Map(cards.map((each) => [each.key, each])),
    edges: new Map(edges.map((each) => [each.key, each])),
    omittedCards: 0,
    omittedEdges: 0,
    knownSince: 0,
    clockAhead: 0,
  };
}
