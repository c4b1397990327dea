import type { CardLive, DoorLive, EdgeLive, LiveNumbers } from './live.ts';
import type { ArrowVerdict, EdgeVerdict } from './model.ts';
import type { Scene, SceneCard } from './scene.ts';

/**
 * The numbers of a scene in two arrays, in the order of its cards and edges: thousands of them cross from one thread to another
 * without an object each. An edge takes `EDGE` numbers; a card `CARD`, and `DOOR` more
 * for each of its doors and for what comes in by none.
 */
export interface PackedNumbers {
  readonly cards: Float64Array<ArrayBuffer>;
  readonly edges: Float64Array<ArrayBuffer>;
}

type DrawnScene = Pick<Scene, 'cards' | 'edges'>;

/** By code. */
const VERDICTS = [
  'quiet',
  'forwarded',
  'dropped',
  'mixed',
  'audit',
  'permitted',
  'open',
] as const satisfies ArrowVerdict[];
const CODES = new Map<ArrowVerdict, number>(VERDICTS.map((verdict, code) => [verdict, code]));
const EDGE = 13;
const CARD = 2;
const DOOR = 7;

/** Numbers that are missing count as nothing seen. */
export function packNumbers(scene: DrawnScene, live: LiveNumbers): PackedNumbers {
  const cards = new Float64Array(scene.cards.reduce((sum, card) => sum + cardSize(card), 0));
  let at = 0;
  for (const card of scene.cards) {
    const { rate = 0, quiet = 0, doors = [], rest } = live.cards.get(card.key) ?? {};
    cards[at] = rate;
    cards[at + 1] = quiet;
    for (const [index, door] of doors.slice(0, card.doors.length).entries()) {
      packDoor(cards, at + CARD + index * DOOR, door);
    }
    if (rest !== undefined) packDoor(cards, at + CARD + card.doors.length * DOOR, rest);
    at += cardSize(card);
  }
  const edges = new Float64Array(scene.edges.length * EDGE);
  for (const [index, { key }] of scene.edges.entries()) {
    const edge = live.edges.get(key);
    if (edge !== undefined) packEdge(edges, index * EDGE, edge);
  }
  return { cards, edges };
}

/** What differs between two moments of one scene: each changed card or edge with its place before it. Undefined = nothing. */
export function changedNumbers(
  scene: DrawnScene,
  before: PackedNumbers,
  after: PackedNumbers,
): PackedNumbers | undefined {
  const cards = changed(scene.cards.map(cardSize), before.cards, after.cards);
  const edges = changed(new Array<number>(scene.edges.length).fill(EDGE), before.edges, after.edges);
  return cards.length + edges.length === 0 ? undefined : { cards, edges };
}

/** All numbers of a scene, as objects by key. */
export function unpackNumbers({ cards, edges }: DrawnScene, packed: PackedNumbers) {
  let at = 0;
  return {
    cards: new Map(
      cards.map((card) => {
        at += cardSize(card);
        return [card.key, unpackCard(packed.cards, at - cardSize(card), card)] as const;
      }),
    ),
    edges: new Map(edges.map(({ key }, index) => [key, unpackEdge(packed.edges, index * EDGE)] as const)),
  };
}

/** Takes what `changedNumbers` told into the objects. */
export function takeNumbers(
  scene: DrawnScene,
  packed: PackedNumbers,
  into: { readonly cards: Map<string, CardLive>; readonly edges: Map<string, EdgeLive> },
): void {
  for (let at = 0; at < packed.cards.length; ) {
    const card = scene.cards[packed.cards[at]];
    into.cards.set(card.key, unpackCard(packed.cards, at + 1, card));
    at += 1 + cardSize(card);
  }
  for (let at = 0; at < packed.edges.length; at += 1 + EDGE) {
    into.edges.set(scene.edges[packed.edges[at]].key, unpackEdge(packed.edges, at + 1));
  }
}

function changed(sizes: readonly number[], before: Float64Array, after: Float64Array): Float64Array<ArrayBuffer> {
  const told: number[] = [];
  let at = 0;
  for (const [place, size] of sizes.entries()) {
    for (let offset = at; offset < at + size; offset++) {
      if (before[offset] === after[offset]) continue;
      told.push(place);
      for (let each = at; each < at + size; each++) told.push(after[each]);
      break;
    }
    at += size;
  }
  return Float64Array.from(told);
}

function cardSize(card: Pick<SceneCard, 'doors'>): number {
  return CARD + (card.doors.length + 1) * DOOR;
}

function packDoor(into: Float64Array, at: number, door: DoorLive): void {
  into[at] = door.rate;
  into[at + 1] = door.rttMicros;
  into[at + 2] = door.forwardedShare;
  into[at + 3] = CODES.get(door.verdict)!;
  into[at + 4] = door.answeredShare;
  into[at + 5] = door.p99Micros;
  into[at + 6] = door.tries;
}

function packEdge(into: Float64Array, at: number, edge: EdgeLive): void {
  into[at] = CODES.get(edge.verdict)!;
  into[at + 1] = edge.width;
  into[at + 2] = edge.rate;
  into[at + 3] = edge.connections;
  into[at + 4] = edge.bytes;
  into[at + 5] = edge.replyBytes;
  into[at + 6] = edge.rttMicros;
  into[at + 7] = edge.dropsPerMinute;
  into[at + 8] = edge.dropReason;
  into[at + 9] = edge.quiet;
  into[at + 10] = edge.requests;
  into[at + 11] = edge.answeredShare;
  into[at + 12] = edge.p99Micros;
}

function unpackCard(from: Float64Array, at: number, { doors }: Pick<SceneCard, 'doors'>): CardLive {
  const rest = unpackDoor(from, at + CARD + doors.length * DOOR);
  return {
    rate: from[at],
    quiet: from[at + 1],
    doors: doors.map((_, index) => unpackDoor(from, at + CARD + index * DOOR)),
    rest: rest.verdict === 'quiet' ? undefined : rest,
  };
}

function unpackDoor(from: Float64Array, at: number): DoorLive {
  return {
    rate: from[at],
    rttMicros: from[at + 1],
    forwardedShare: from[at + 2],
    verdict: VERDICTS[from[at + 3]] as EdgeVerdict,
    answeredShare: from[at + 4],
    p99Micros: from[at + 5],
    tries: from[at + 6],
  };
}

function unpackEdge(from: Float64Array, at: number): EdgeLive {
  return {
    verdict: VERDICTS[from[at]],
    width: from[at + 1],
    rate: from[at + 2],
    connections: from[at + 3],
    bytes: from[at + 4],
    replyBytes: from[at + 5],
    rttMicros: from[at + 6],
    dropsPerMinute: from[at + 7],
    dropReason: from[at + 8],
    quiet: from[at + 9],
    requests: from[at + 10],
    answeredShare: from[at + 11],
    p99Micros: from[at + 12],
  };
}
