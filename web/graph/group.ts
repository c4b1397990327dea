import type { ModelCard, ModelEdge } from './model.ts';
import type { VisibleGraph } from './visible.ts';

/** A door of a card: a port that others connect to. */
export interface Door {
  readonly port: number;
  readonly protocol: number;
}

/** What is drawn as one card: a card of the model, or a whole namespace folded up. */
export interface GroupedCard {
  readonly key: string;
  /** The first of the cards it stands for. */
  readonly card: ModelCard;
  /** How many cards it stands for: more than 1 only when folded. */
  readonly folded: number;
  /** Id of the plate it stands on; empty for none. */
  readonly plate: string;
  readonly doors: readonly Door[];
}

/** An edge of the drawing and the model's edges it stands for. */
export interface GroupedEdge {
  readonly key: string;
  readonly source: string;
  readonly destination: string;
  /** Index of the destination's door; -1 = the card as a whole. */
  readonly door: number;
  readonly members: readonly ModelEdge[];
  /** How much it counts in the layout: grows with the connections seen, slowly. */
  readonly weight: number;
}

export interface Plate {
  readonly id: string;
  readonly namespace: string;
  readonly cluster: string;
  readonly workloads: number;
  readonly folded: boolean;
}

export interface GroupedGraph {
  readonly cards: readonly GroupedCard[];
  readonly edges: readonly GroupedEdge[];
  readonly plates: readonly Plate[];
}

export interface GroupOptions {
  /** Plates shown as one card; one that holds a single workload is shown as it is. */
  readonly folded: ReadonlySet<string>;
}

/** Most doors a card shows; edges to further ports end at the card as a whole. */
export const MOST_DOORS = 6;

export function plateId(card: Pick<ModelCard, 'cluster' | 'namespace'>): string {
  return card.namespace === '' ? '' : `${card.cluster}/${card.namespace}`;
}

/** Stage 2: namespaces become plates, ports that are used become doors, a folded namespace becomes one card. */
export function groupGraph(graph: VisibleGraph, options: GroupOptions): GroupedGraph {
  const plates = new Map<string, { first: ModelCard; workloads: number }>();
  const drawnKey = new Map<string, string>();
  for (const card of graph.cards) {
    const plate = plateId(card);
    if (plate !== '') {
      const known = plates.get(plate);
      if (known === undefined) plates.set(plate, { first: card, workloads: 1 });
      else known.workloads++;
    }
  }
  const isFoldedPlate = (plate: string) => options.folded.has(plate) && (plates.get(plate)?.workloads ?? 0) > 1;
  for (const card of graph.cards) {
    const plate = plateId(card);
    drawnKey.set(card.key, isFoldedPlate(plate) ? foldedKey(plate) : card.key);
  }
  const doors = collectDoors(graph.edges, drawnKey);
  const cards = new Map<string, GroupedCard>();
  for (const card of graph.cards) {
    const key = drawnKey.get(card.key)!;
    if (cards.has(key)) continue;
    const plate = plateId(card);
    const isFolded = key !== card.key;
    cards.set(key, {
      key,
      card,
      folded: isFolded ? plates.get(plate)!.workloads : 1,
      plate: isFolded ? '' : plate,
      doors: doors.get(key) ?? [],
    });
  }
  return {
    cards: [...cards.values()],
    edges: groupEdges(graph.edges, drawnKey, cards),
    plates: [...plates].map(([id, { first, workloads }]) => ({
      id,
      namespace: first.namespace,
      cluster: first.cluster,
      workloads,
      folded: isFoldedPlate(id),
    })),
  };
}

const FOLDED = 'plate:';

/** The key of the card that stands for a folded plate. */
export function foldedKey(plate: string): string {
  return FOLDED + plate;
}

/** The plate that a card stands for; undefined for an ordinary card. */
export function plateOfFolded(key: string): string | undefined {
  return key.startsWith(FOLDED) ? key.slice(FOLDED.length) : undefined;
}

function collectDoors(edges: readonly ModelEdge[], drawnKey: ReadonlyMap<string, string>): Map<string, Door[]> {
  const doors = new Map<string, Map<string, Door & { flows: number }>>();
  for (const edge of edges) {
    const key = drawnKey.get(edge.destination)!;
    if (key !== edge.destination || edge.port === 0) continue;
    const ofCard = doors.get(key) ?? new Map<string, Door & { flows: number }>();
    doors.set(key, ofCard);
    const id = `${edge.port}/${edge.protocol}`;
    const door = ofCard.get(id);
    if (door === undefined)
      ofCard.set(id, { port: edge.port, protocol: edge.protocol, flows: edge.stats.totalConnections });
    else door.flows += edge.stats.totalConnections;
  }
  return new Map(
    [...doors].map(([key, ofCard]) => [
      key,
      [...ofCard.values()]
        // The busiest are kept; among them the order is by number, so that it does not change with the traffic.
        .sort((a, b) => b.flows - a.flows || a.port - b.port)
        .slice(0, MOST_DOORS)
        .sort((a, b) => a.port - b.port || a.protocol - b.protocol)
        .map(({ port, protocol }) => ({ port, protocol })),
    ]),
  );
}

function groupEdges(
  edges: readonly ModelEdge[],
  drawnKey: ReadonlyMap<string, string>,
  cards: ReadonlyMap<string, GroupedCard>,
): GroupedEdge[] {
  const grouped = new Map<
    string,
    { edge: Pick<GroupedEdge, 'source' | 'destination' | 'door'>; members: ModelEdge[] }
  >();
  for (const edge of edges) {
    const source = drawnKey.get(edge.source)!;
    const destination = drawnKey.get(edge.destination)!;
    if (source === destination && source !== edge.source) continue;
    const door = cards
      .get(destination)!
      .doors.findIndex((door) => door.port === edge.port && door.protocol === edge.protocol);
    const key = `${source}→${destination}#${door < 0 ? '' : `${edge.port}/${edge.protocol}`}`;
    const known = grouped.get(key);
    if (known === undefined) grouped.set(key, { edge: { source, destination, door }, members: [edge] });
    else known.members.push(edge);
  }
  return [...grouped].map(([key, { edge, members }]) => ({ key, ...edge, members, weight: edgeWeight(members) }));
}

export function edgeWeight(members: readonly ModelEdge[]): number {
  return 1 + Math.log10(1 + members.reduce((sum, { stats }) => sum + stats.totalConnections, 0));
}
