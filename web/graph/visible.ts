import type { MapModel, ModelCard, ModelEdge } from './model.ts';

export interface VisibleOptions {
  /** Edges silent for longer than this many milliseconds are left out. */
  readonly quietAfterMs: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface VisibleGraph {
  readonly cards: readonly ModelCard[];
  readonly edges: readonly ModelEdge[];
}

/**
 * Stage 1: what there is to show. Cards come sorted by key, edges by key, so that equal input gives an equal picture
 * whatever the order in which the server told of it.
 */
export function visibleGraph(model: MapModel, options: VisibleOptions): VisibleGraph {
  const edges: ModelEdge[] = [];
  for (const edge of model.edges.values()) {
    if (!model.cards.has(edge.source) || !model.cards.has(edge.destination)) continue;
    if (edge.stats.lastSeen > 0 && options.now - edge.stats.lastSeen > options.quietAfterMs) continue;
    edges.push(edge);
  }
  return {
    cards: [...model.cards.values()].sort((a, b) => compare(a.key, b.key)),
    edges: edges.sort((a, b) => compare(a.key, b.key)),
  };
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
