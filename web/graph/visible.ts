import { type Expression, matchesCard, matchesEdge, speaksOfEdges } from './expression.ts';
import type { MapModel, ModelCard, ModelEdge } from './model.ts';
import { neighbourhood } from './neighbourhood.ts';

export interface VisibleOptions {
  /** What is silent for longer than this many milliseconds is left out. */
  readonly quietAfterMs: number;
  /** By the server's clock, milliseconds since 1970. */
  readonly now: number;
  /** Leaves out what it speaks of. */
  readonly hide?: Expression;
  /** Only what is that near to one card. */
  readonly focus?: { readonly key: string; readonly hops: number };
}

export interface VisibleGraph {
  readonly cards: readonly ModelCard[];
  readonly edges: readonly ModelEdge[];
  /** Cards that the expression leaves out. */
  readonly hiddenCards: number;
}

/**
 * Stage 1: what there is to show. Cards come sorted by key, edges by key, so that equal input gives an equal picture
 * whatever the order in which the server told of it.
 */
export function visibleGraph(model: MapModel, options: VisibleOptions): VisibleGraph {
  const { now, quietAfterMs, hide, focus } = options;
  const isQuiet = (lastSeen: number) => lastSeen > 0 && now - lastSeen > quietAfterMs;
  let edges: ModelEdge[] = [];
  const talking = new Set<string>();
  for (const edge of model.edges.values()) {
    if (!model.cards.has(edge.source) || !model.cards.has(edge.destination) || isQuiet(edge.stats.lastSeen)) continue;
    edges.push(edge);
    talking.add(edge.source).add(edge.destination);
  }
  const present = [...model.cards.values()].filter(({ key, lastSeen }) => talking.has(key) || !isQuiet(lastSeen));
  let cards = present;
  if (hide !== undefined) ({ cards, edges } = leaveOut(hide, model, cards, edges));
  const hiddenCards = present.length - cards.length;
  if (focus !== undefined) {
    const near = neighbourhood(edges, model.cards.has(focus.key) ? [focus.key] : [], focus.hops);
    cards = cards.filter(({ key }) => near.has(key));
    edges = edges.filter(({ source, destination }) => near.has(source) && near.has(destination));
  }
  return {
    cards: cards.sort((a, b) => compare(a.key, b.key)),
    edges: edges.sort((a, b) => compare(a.key, b.key)),
    hiddenCards,
  };
}

/** An expression that speaks of arrows takes those away, and cards that lose all of theirs; any other takes cards away. */
function leaveOut(
  hide: Expression,
  model: MapModel,
  cards: ModelCard[],
  edges: ModelEdge[],
): { cards: ModelCard[]; edges: ModelEdge[] } {
  if (speaksOfEdges(hide)) {
    const left = edges.filter(
      (edge) => !matchesEdge(hide, edge, model.cards.get(edge.source), model.cards.get(edge.destination)),
    );
    const before = ends(edges);
    const after = ends(left);
    return { cards: cards.filter(({ key }) => !before.has(key) || after.has(key)), edges: left };
  }
  const left = cards.filter((card) => !matchesCard(hide, card, []));
  const keys = new Set(left.map(({ key }) => key));
  return { cards: left, edges: edges.filter(({ source, destination }) => keys.has(source) && keys.has(destination)) };
}

function ends(edges: readonly ModelEdge[]): Set<string> {
  return new Set(edges.flatMap(({ source, destination }) => [source, destination]));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
