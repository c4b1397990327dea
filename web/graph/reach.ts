import { WORLD_NAME, workloadKey } from '#core/card/card-name.ts';
import type { DetailedGraph } from './level-of-detail.ts';
import type { EdgeLive } from './live.ts';
import { edgeKey, type MapModel, type ModelCard, type ModelEdge } from './model.ts';

/** What policies say of the cards on the map. Keys are those of cards that do not stand per node. */
export interface ReachView {
  /** Who may reach whom because a rule says so. */
  readonly reaches: readonly Reach[];
  /** Whom policies close, in each direction: what goes there is decided by rules. */
  readonly closedIngress: readonly string[];
  readonly closedEgress: readonly string[];
}

export interface Reach {
  readonly source: string;
  readonly destination: string;
  /** IP protocol number; 0 = every one. */
  readonly protocol: number;
  readonly firstPort: number;
  readonly lastPort: number;
}

const NOTHING_SEEN = {
  ...{ connections: 0, flows: 0, bytes: 0, replyBytes: 0, totalConnections: 0, totalBytes: 0, totalReplyBytes: 0 },
  ...{ forwarded: 0, dropped: 0, audited: 0, rttMicros: 0, retransmits: 0, lastSeen: 0, dropReason: 0 },
  ...{ requests: 0, answers: 0, failures: 0, p50Micros: 0, p99Micros: 0 },
};

/** Arrows that only rules make are drawn up to so many: where cards stand per node, one rule can be about many pairs. */
const MOST_PERMITTED = 4_000;

/** Nobody outside has been seen: the world's card stands there for rules about it. */
const UNSEEN_WORLD: ModelCard = {
  ...WORLD_NAME,
  ...{ labels: [], members: 0, replicas: 0, nodes: [], firstSeen: 0, lastSeen: 0 },
};

/** The model with an edge for everything that a rule allows between two of its cards, and that nobody was seen to do. */
export function withReach(model: MapModel, { reaches }: ReachView): MapModel {
  const seen = Map.groupBy(model.edges.values(), ({ source, destination }) => pairOf(source, destination));
  const edges = new Map<string, ModelEdge>(model.edges);
  const standing = Map.groupBy(model.cards.keys(), workloadKey);
  const cards = new Map(model.cards);
  const cardsOf = (key: string) => standing.get(key) ?? (key === WORLD_NAME.key ? [key] : []);
  let permitted = 0;
  const draw = ({ protocol, firstPort, lastPort }: Reach, source: string, destination: string) => {
    const isSeen = seen
      .get(pairOf(source, destination))
      ?.some(
        (edge) =>
          (protocol === 0 || edge.protocol === protocol) &&
          ((edge.port >= firstPort && edge.port <= lastPort) || protocol === 0),
      );
    if (isSeen) return;
    // A range of ports has no door of its own.
    const port = firstPort === lastPort ? firstPort : 0;
    const key = edgeKey(source, destination, port, protocol);
    if (edges.has(key)) return;
    permitted++;
    edges.set(key, { key, source, destination, port, protocol, firstSeen: 0, permitted: true, stats: NOTHING_SEEN });
    for (const end of [source, destination]) if (!cards.has(end)) cards.set(end, UNSEEN_WORLD);
  };
  for (const reach of reaches) {
    for (const source of cardsOf(reach.source)) {
      for (const destination of cardsOf(reach.destination)) {
        if (permitted < MOST_PERMITTED) draw(reach, source, destination);
      }
    }
  }
  const { omittedCards, omittedEdges, knownSince, clockAhead } = model;
  return { cards, edges, omittedCards, omittedEdges, knownSince, clockAhead };
}

/** Arrows told apart by what policies say: those that only a rule makes, and those that no policy decides. */
export function markReach(
  graph: DetailedGraph,
  live: ReadonlyMap<string, EdgeLive>,
  { closedIngress, closedEgress }: ReachView,
): Map<string, EdgeLive> {
  const [into, out] = [new Set(closedIngress), new Set(closedEgress)];
  const marked = new Map(live);
  for (const { key, members } of graph.edges) {
    const numbers = live.get(key);
    if (numbers === undefined) continue;
    if (members.every(({ permitted }) => permitted)) marked.set(key, { ...numbers, verdict: 'permitted' });
    else if (
      numbers.verdict === 'forwarded' &&
      members.every(
        ({ source, destination }) =>
          !into.has(workloadKey(destination)) && !out.has(workloadKey(source)) && !isService(destination),
      )
    ) {
      marked.set(key, { ...numbers, verdict: 'open' });
    }
  }
  return marked;
}

/** What becomes of a connection to a Service is decided where it ends. */
function isService(key: string): boolean {
  return key.split('/')[2] === 'Service';
}

function pairOf(source: string, destination: string): string {
  return `${source}→${destination}`;
}
