import { bundleTitle, isBundle, standsFor } from './bundles.ts';
import type { ModelCard, ModelEdge } from './model.ts';
import { type PlateKind, type PlateName, plateOf } from './plates.ts';
import type { VisibleGraph } from './visible.ts';

/** A door of a card: a port that others connect to. */
export interface Door {
  readonly port: number;
  readonly protocol: number;
}

/** What is drawn as one card: a card of the model, a whole plate folded up, or a bundle of plates. */
export interface GroupedCard {
  readonly key: string;
  /** The first of the cards it stands for. */
  readonly card: ModelCard;
  /** All of them. */
  readonly members: readonly ModelCard[];
  /** How many cards it stands for: more than 1 only when folded. */
  readonly folded: number;
  /** How many plates it stands for: more than 1 for a bundle, 0 for an ordinary card. */
  readonly plates: number;
  /** Of a folded plate or a bundle; empty for an ordinary card. */
  readonly title: string;
  /** Id of the plate it stands on; empty for none. */
  readonly plate: string;
  readonly doors: readonly Door[];
  /** Ports that others connect to, and that have no door of their own. */
  readonly morePorts: number;
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

export interface Plate extends PlateName {
  readonly kind: PlateKind;
  readonly workloads: number;
  readonly folded: boolean;
}

export interface GroupedGraph {
  readonly cards: readonly GroupedCard[];
  readonly edges: readonly GroupedEdge[];
  readonly plates: readonly Plate[];
}

export interface GroupOptions {
  readonly by: PlateKind;
  /** Plates and bundles shown as one card; a plate that holds a single workload is shown as it is. */
  readonly folded: ReadonlySet<string>;
}

/** Most doors a card shows; edges to further ports end at the card as a whole. */
export const MOST_DOORS = 6;

/** Stage 2: what belongs together becomes a plate, ports that are used become doors, a folded plate becomes one card. */
export function groupGraph(graph: VisibleGraph, { by, folded }: GroupOptions): GroupedGraph {
  const plates = new Map<string, { name: PlateName; workloads: number }>();
  const plateIds = new Map<string, string>();
  for (const card of graph.cards) {
    const name = plateOf(card, by);
    plateIds.set(card.key, name.id);
    if (name.id === '') continue;
    const known = plates.get(name.id);
    if (known === undefined) plates.set(name.id, { name, workloads: 1 });
    else known.workloads++;
  }
  const bundles = [...folded].filter(isBundle);
  const wholes = new Map<string, { title: string; workloads: number; plates: number }>();
  const wholeOf = new Map<string, string>();
  for (const [id, { name, workloads }] of plates) {
    const bundle = bundles.find((each) => standsFor(each, id));
    if (bundle === undefined && !(folded.has(id) && workloads > 1)) continue;
    const key = foldedKey(bundle ?? id);
    wholeOf.set(id, key);
    const known = wholes.get(key);
    if (known === undefined) {
      wholes.set(key, { title: bundle === undefined ? name.title : bundleTitle(bundle), workloads, plates: 1 });
    } else {
      known.workloads += workloads;
      known.plates++;
    }
  }
  const drawnKey = new Map<string, string>();
  for (const [key, plate] of plateIds) drawnKey.set(key, wholeOf.get(plate) ?? key);
  const doors = collectDoors(graph.edges, drawnKey);
  const cards = new Map<string, GroupedCard & { readonly members: ModelCard[] }>();
  for (const card of graph.cards) {
    const key = drawnKey.get(card.key)!;
    const known = cards.get(key);
    if (known !== undefined) {
      known.members.push(card);
      continue;
    }
    const plate = plateIds.get(card.key)!;
    const whole = wholes.get(key);
    cards.set(key, {
      key,
      card,
      members: [card],
      folded: whole?.workloads ?? 1,
      plates: whole?.plates ?? 0,
      title: whole?.title ?? '',
      plate: whole === undefined ? plate : '',
      doors: doors.get(key)?.shown ?? [],
      morePorts: doors.get(key)?.more ?? 0,
    });
  }
  return {
    cards: [...cards.values()],
    edges: groupEdges(graph.edges, drawnKey, cards),
    plates: [...plates].map(([id, { name, workloads }]) => ({ ...name, kind: by, workloads, folded: wholeOf.has(id) })),
  };
}

const FOLDED = 'plate:';

/** The key of the card that stands for a folded plate or a bundle. */
export function foldedKey(plate: string): string {
  return FOLDED + plate;
}

/** The plate or bundle that a card stands for; undefined for an ordinary card. */
export function plateOfFolded(key: string): string | undefined {
  return key.startsWith(FOLDED) ? key.slice(FOLDED.length) : undefined;
}

function collectDoors(
  edges: readonly ModelEdge[],
  drawnKey: ReadonlyMap<string, string>,
): Map<string, { readonly shown: Door[]; readonly more: number }> {
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
    [...doors].map(([key, ofCard]) => {
      const shown = [...ofCard.values()]
        // The busiest are kept; among them the order is by number, so that it does not change with the traffic.
        .sort((a, b) => b.flows - a.flows || a.port - b.port)
        .slice(0, MOST_DOORS)
        .sort((a, b) => a.port - b.port || a.protocol - b.protocol)
        .map(({ port, protocol }) => ({ port, protocol }));
      return [key, { shown, more: ofCard.size - shown.length }];
    }),
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

function edgeWeight(members: readonly ModelEdge[]): number {
  return 1 + Math.log10(1 + members.reduce((sum, { stats }) => sum + stats.totalConnections, 0));
}
