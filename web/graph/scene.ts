import { type CardIcon, cardIcon, cardSentence, cardTitle, plateFacts, portWords } from './card-words.ts';
import { type Expression, matchesCard, matchesEdge, speaksOfEdges } from './expression.ts';
import { CARD_WIDTH, columnX, doorY, PLATE_TOP, type Rect } from './geometry.ts';
import { type GroupedCard, plateOfFolded } from './group.ts';
import { type Block, blockRect, blocksOf, type Layout } from './layout.ts';
import type { DetailedGraph } from './level-of-detail.ts';
import type { CardKind, ModelEdge } from './model.ts';
import type { PlateKind, PlatePolicies } from './plates.ts';
import { type Obstacle, type Route, Router, routeBounds } from './route.ts';

/** What is drawn, as far as it changes only when cards or arrows come, go or move. */
export interface Scene {
  readonly cards: readonly SceneCard[];
  readonly edges: readonly SceneEdge[];
  readonly plates: readonly ScenePlate[];
  readonly bounds: Rect;
  readonly mergedEdges: number;
  readonly hiddenEdges: number;
  readonly omittedCards: number;
  readonly omittedEdges: number;
  /** Cards that the "hide" expression leaves out. */
  readonly hiddenCards: number;
  /** What the "find" expression speaks of; undefined without one. */
  readonly found: SceneFound | undefined;
  /** Keys of labels that could name the cards. */
  readonly namingLabels: readonly string[];
}

export interface SceneFound {
  /** In reading order. */
  readonly cards: readonly string[];
  readonly edges: readonly string[];
}

/** What a scene says beside what it draws. */
export type SceneFacts = Pick<Scene, 'omittedCards' | 'omittedEdges' | 'hiddenCards' | 'namingLabels'> & {
  readonly by: PlateKind;
  readonly nameLabel: string;
  readonly find: Expression | undefined;
  /** Keys of cards that stand where a person put them. */
  readonly pinned: ReadonlySet<string>;
  /** By plate. */
  readonly policed?: Readonly<Record<string, PlatePolicies>> | undefined;
};

export interface SceneCard extends Rect {
  readonly key: string;
  readonly kind: CardKind;
  readonly cluster: string;
  readonly namespace: string;
  readonly workloadKind: string;
  readonly name: string;
  readonly title: string;
  readonly sentence: string;
  readonly icon: CardIcon;
  readonly plate: string;
  readonly folded: boolean;
  readonly pinned: boolean;
  readonly doors: readonly SceneDoor[];
}

export interface SceneDoor {
  readonly port: string;
  readonly protocol: string;
  /** Height of its middle below the card's top. */
  readonly y: number;
}

export interface SceneEdge {
  readonly key: string;
  readonly source: string;
  readonly destination: string;
  readonly sourceTitle: string;
  readonly destinationTitle: string;
  /** -1 = the card as a whole. */
  readonly door: number;
  /** `port 3306 TCP`, `ICMPv4`, `4 ports`. */
  readonly words: string;
  readonly route: Route;
}

export interface ScenePlate extends Rect {
  readonly id: string;
  readonly kind: PlateKind;
  readonly title: string;
  readonly facts: string;
  /** A plate with one cannot be folded up. */
  readonly workloads: number;
}

/** Last stage: words, places and ways, ready to draw. */
export function buildScene(graph: DetailedGraph, layout: Layout, facts: SceneFacts): Scene {
  const { by, nameLabel, find, pinned, policed, ...told } = facts;
  const titles = new Map(graph.cards.map((card) => [card.key, cardTitle(card, nameLabel)]));
  const blocks = blocksOf(graph);
  const plates = scenePlates(graph, blocks, layout, policed);
  const router = new Router(obstacles(blocks, layout));
  const cards = graph.cards.map((card) => sceneCard(card, layout, titles.get(card.key)!, facts));
  const edges = graph.edges.map((edge) => ({
    key: edge.key,
    source: edge.source,
    destination: edge.destination,
    sourceTitle: titles.get(edge.source)!,
    destinationTitle: titles.get(edge.destination)!,
    door: edge.door,
    words: edgeWords(edge.members),
    route: router.route(layout, edge.source, edge.destination, edge.door),
  }));
  return {
    cards,
    plates,
    edges,
    bounds: union([...cards, ...plates, ...edges.map(({ route }) => routeBounds(route))]),
    mergedEdges: graph.mergedEdges,
    hiddenEdges: graph.hiddenEdges,
    found: find && found(find, graph, cards),
    ...told,
  };
}

function found(find: Expression, graph: DetailedGraph, cards: readonly SceneCard[]): SceneFound {
  const model = new Map(graph.cards.flatMap(({ members }) => members.map((card) => [card.key, card] as const)));
  const membersOf = new Map(graph.cards.map(({ key, members }) => [key, members]));
  const touching = new Map<string, ModelEdge[]>();
  const edges: string[] = [];
  for (const { key, source, destination, members } of graph.edges) {
    for (const end of [source, destination]) {
      const list = touching.get(end);
      if (list === undefined) touching.set(end, [...members]);
      else list.push(...members);
    }
    if (!speaksOfEdges(find)) continue;
    if (members.some((edge) => matchesEdge(find, edge, model.get(edge.source), model.get(edge.destination))))
      edges.push(key);
  }
  return {
    cards: cards
      .filter(({ key }) => membersOf.get(key)!.some((card) => matchesCard(find, card, touching.get(key) ?? [])))
      .toSorted((a, b) => a.y - b.y || a.x - b.x)
      .map(({ key }) => key),
    edges,
  };
}

function sceneCard(
  grouped: GroupedCard,
  layout: Layout,
  title: string,
  { by, pinned, policed }: SceneFacts,
): SceneCard {
  const at = layout.get(grouped.key)!;
  const { card } = grouped;
  return {
    key: grouped.key,
    kind: card.kind,
    cluster: card.cluster,
    namespace: card.namespace,
    workloadKind: card.workloadKind,
    name: card.name,
    title,
    sentence: cardSentence(grouped, by, policed?.[plateOfFolded(grouped.key) ?? '']),
    icon: cardIcon(grouped),
    plate: grouped.plate,
    folded: grouped.key !== card.key,
    pinned: pinned.has(grouped.key),
    x: columnX(at.column),
    y: at.y,
    width: CARD_WIDTH,
    height: at.height,
    doors: grouped.doors.map(({ port, protocol }, index) => ({
      port: String(port),
      protocol: portWords(0, protocol),
      y: doorY(index),
    })),
  };
}

function scenePlates(
  graph: DetailedGraph,
  blocks: readonly Block[],
  layout: Layout,
  policed: SceneFacts['policed'],
): ScenePlate[] {
  const byId = new Map(graph.plates.map((plate) => [plate.id, plate]));
  // Nodes outside of a cluster's state have none.
  const clusters = new Set(graph.plates.map(({ cluster }) => cluster).filter((cluster) => cluster !== ''));
  return blocks.flatMap((block) => {
    const plate = block.isPlate ? byId.get(block.id) : undefined;
    if (plate === undefined) return [];
    const title = clusters.size > 1 && plate.cluster !== '' ? `${plate.cluster}/${plate.title}` : plate.title;
    return [
      {
        id: plate.id,
        kind: plate.kind,
        ...blockRect(block, layout),
        title,
        facts: plateFacts(plate, policed?.[plate.id]),
        workloads: plate.workloads,
      },
    ];
  });
}

/** Cards, and what plates say over their first and last columns. */
function obstacles(blocks: readonly Block[], layout: Layout): Obstacle[] {
  const found: Obstacle[] = [];
  for (const block of blocks) {
    let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (const key of block.cards) {
      const { column, y, height } = layout.get(key)!;
      found.push({ column, top: y, bottom: y + height });
      [first, last] = [Math.min(first, column), Math.max(last, column)];
    }
    if (block.isPlate) {
      const { y } = blockRect(block, layout);
      for (const column of new Set([first, last])) found.push({ column, top: y, bottom: y + PLATE_TOP - 16 });
    }
  }
  return found;
}

function edgeWords(members: DetailedGraph['edges'][number]['members']): string {
  const [first, ...rest] = members;
  if (rest.every(({ port, protocol }) => port === first.port && protocol === first.protocol)) {
    return `${first.port > 0 ? 'port ' : ''}${portWords(first.port, first.protocol)}`;
  }
  return `${new Set(members.map(({ port, protocol }) => `${port}/${protocol}`)).size} ports`;
}

function union(rects: readonly Rect[]): Rect {
  if (rects.length === 0) return { x: 0, y: 0, width: 0, height: 0 };
  let [left, top] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  let [right, bottom] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { x, y, width, height } of rects) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x + width);
    bottom = Math.max(bottom, y + height);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}
