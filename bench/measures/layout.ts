import { CARD_WIDTH, columnX } from '#web/graph/geometry.ts';
import { freshLayout, type Layout, type LayoutInput } from '#web/graph/layout.ts';
import { updateLayout } from '#web/graph/layout-incremental.ts';
import type { Benchmark, Figure } from '../benchmark.ts';
import { cpuMilliseconds } from '../cpu-clock.ts';
import { pinToCore } from '../pin.ts';
import { Random } from '../random.ts';
import { median } from '../statistics.ts';

const CARDS = 1_000;
const PLATES = 60;
const EDGES = 2_500;

interface Graph extends LayoutInput {
  readonly cards: LayoutInput['cards'][number][];
  readonly edges: { source: string; destination: string }[];
}

export const layout: Benchmark = {
  name: 'layout',
  about: 'laying out a map of 1,000 workloads, and how far a newcomer moves the others',
  needs: [],
  seconds: { full: 40, quick: 20 },
  async measure(context): Promise<Figure[]> {
    pinToCore(context.core);
    const rounds = context.quick ? 5 : 15;
    const arrivals = context.quick ? 20 : 60;
    const first: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const graph = serviceGraph(round + 1);
      const begun = cpuMilliseconds();
      freshLayout(graph);
      first.push(cpuMilliseconds() - begun);
    }

    const graph = serviceGraph(99);
    const random = new Random(100);
    let standing: Layout = freshLayout(graph);
    const update: number[] = [];
    const moved: number[] = [];
    const longest: number[] = [];
    for (let arrival = 0; arrival < arrivals; arrival++) {
      arrive(graph, arrival, random);
      const begun = cpuMilliseconds();
      const next = updateLayout(graph, standing);
      update.push(cpuMilliseconds() - begun);
      const moves = movesOf(standing, next).map((distance) => (100 * distance) / diagonal(standing));
      moved.push(median(moves));
      longest.push(Math.max(...moves));
      standing = next;
    }
    const size = `${CARDS} cards on ${PLATES} plates, ${EDGES} edges`;
    return [
      { name: 'first', value: median(first), unit: 'ms', goal: { atMost: 1000 }, samples: first, note: size },
      { name: 'update', value: median(update), unit: 'ms', samples: update, note: 'one card more' },
      {
        name: 'move',
        value: Math.max(...moved),
        unit: '%',
        goal: { atMost: 5 },
        samples: moved,
        note: `of the map's diagonal: how far the median card moves, in the worst of ${arrivals} arrivals`,
      },
      {
        name: 'longest move',
        value: median(longest),
        unit: '%',
        samples: longest,
        note: 'of the diagonal: the card that moves most, in the median arrival',
      },
    ];
  },
};

/** Namespaces of unequal size, traffic mostly from earlier to later services and mostly within a namespace; few know all. */
function serviceGraph(seed: number): Graph {
  const random = new Random(seed);
  const cards = Array.from({ length: CARDS }, (_, index) =>
    card(`card-${index}`, `plate-${random.popular(PLATES)}`, random),
  );
  const byPlate = Map.groupBy(cards, (entry) => entry.plate);
  const seen = new Set<string>();
  const edges: Graph['edges'] = [];
  while (edges.length < EDGES) {
    const source = cards[random.below(CARDS)];
    const home = byPlate.get(source.plate)!;
    const pool = random.next() < 0.7 && home.length > 1 ? home : cards;
    const destination = pool[random.popular(pool.length)];
    const edge = `${source.key} ${destination.key}`;
    if (source === destination || seen.has(edge)) continue;
    seen.add(edge);
    edges.push({ source: source.key, destination: destination.key });
  }
  return { cards, edges };
}

function card(key: string, plate: string, random: Random): Graph['cards'][number] {
  const doors = Array.from({ length: 1 + random.below(3) }, (_, index) => ({ port: 8080 + index, protocol: 6 }));
  return { key, plate, doors } as unknown as Graph['cards'][number];
}

/** A workload is deployed: on a plate that stands, or now and then on one of its own, and talks to three. */
function arrive(graph: Graph, arrival: number, random: Random): void {
  const like = graph.cards[random.below(graph.cards.length)];
  const key = `new-${arrival}`;
  graph.cards.push(card(key, arrival % 10 === 9 ? `plate-new-${arrival}` : like.plate, random));
  for (let index = 0; index < 3; index++) {
    const other = graph.cards[random.below(graph.cards.length - 1)].key;
    graph.edges.push(index === 0 ? { source: other, destination: key } : { source: key, destination: other });
  }
}

function diagonal(standing: Layout): number {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { column, y, height } of standing.values()) {
    left = Math.min(left, columnX(column));
    right = Math.max(right, columnX(column) + CARD_WIDTH);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y + height);
  }
  return Math.hypot(right - left, bottom - top);
}

/** How far each card that stood before has moved. */
function movesOf(before: Layout, after: Layout): number[] {
  return Array.from(before, ([key, stood]) => {
    const stands = after.get(key);
    if (stands === undefined) throw new Error(`the update lost ${key}`);
    return Math.hypot(columnX(stands.column) - columnX(stood.column), stands.y - stood.y);
  });
}
