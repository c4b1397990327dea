import type { GroupedEdge, GroupedGraph } from './group.ts';
import { edgeVerdict } from './model.ts';

/** Most edges that are drawn: a canvas with more cannot be panned smoothly (see the layout decision record). */
const MOST_EDGES = 1_000;

export interface DetailedGraph extends GroupedGraph {
  /** Edges merged into one arrow between the same two cards. */
  readonly mergedEdges: number;
  /** Edges not drawn at all. */
  readonly hiddenEdges: number;
}

/**
 * Stage 3: no more edges than can be drawn. First the arrows between the same two cards become one; if that is not enough
 * those with the fewest connections so far are left out, and counted (the total, not the rate: what is shown must not
 * flicker with the traffic). Edges with drops stay longest.
 */
export function levelOfDetail(graph: GroupedGraph, most: number = MOST_EDGES): DetailedGraph {
  if (graph.edges.length <= most) return { ...graph, mergedEdges: 0, hiddenEdges: 0 };
  const pairs = new Map<string, GroupedEdge>();
  for (const edge of graph.edges) {
    const key = `${edge.source}→${edge.destination}#*`;
    const known = pairs.get(key);
    pairs.set(
      key,
      known === undefined
        ? edge
        : { ...known, key, door: -1, members: [...known.members, ...edge.members], weight: known.weight + edge.weight },
    );
  }
  const merged = [...pairs.values()];
  const mergedEdges = graph.edges.length - merged.length;
  if (merged.length <= most) return { ...graph, edges: merged, mergedEdges, hiddenEdges: 0 };
  const ranked = merged.map((edge) => ({ edge, rank: rank(edge) })).sort((a, b) => b.rank - a.rank);
  return {
    ...graph,
    edges: ranked.slice(0, most).map(({ edge }) => edge),
    mergedEdges,
    hiddenEdges: merged.length - most,
  };
}

function rank(edge: GroupedEdge): number {
  let connections = 0;
  let dropped = false;
  for (const { stats } of edge.members) {
    connections += stats.totalConnections;
    dropped ||= edgeVerdict(stats) === 'dropped' || edgeVerdict(stats) === 'mixed';
  }
  return dropped ? 1e12 + connections : connections;
}
