import { describe, expect, test } from 'vitest';
import { CARD_WIDTH, cardHeight, columnX, type Rect } from './geometry.ts';
import { assignLayers, mostLayers } from './layering.ts';
import { blockRect, blocksOf, freshLayout, type Layout, type LayoutInput } from './layout.ts';
import { updateLayout } from './layout-incremental.ts';
import { applyPins } from './pins.ts';
import { stack } from './stacking.ts';

/** Cards as `plate/name` (an empty plate: none), arrows as `a>b`. Every card has one door. */
function graph(cards: string, arrows: string): LayoutInput {
  const doors = [{ port: 80, protocol: 6 }];
  return {
    cards: cards.split(' ').map((path) => {
      const [plate, key] = path.split('/');
      return { key, plate, doors };
    }),
    edges: arrows
      .split(' ')
      .filter((arrow) => arrow !== '')
      .map((arrow) => {
        const [source, destination] = arrow.split('>');
        return { source, destination };
      }),
  };
}

const SHOP = graph('shop/a shop/b shop/c data/d data/e /world', 'world>a a>b a>c b>d c>d d>e');

function rects(layout: Layout): Map<string, Rect> {
  return new Map(
    [...layout].map(([key, { column, y, height }]) => [key, { x: columnX(column), y, width: CARD_WIDTH, height }]),
  );
}

function overlaps(list: readonly Rect[]): number {
  let count = 0;
  for (const [i, a] of list.entries()) {
    for (const b of list.slice(i + 1)) {
      if (a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height) count++;
    }
  }
  return count;
}

function expectReadable(input: LayoutInput, layout: Layout): void {
  expect([...layout.keys()].sort()).toEqual(input.cards.map(({ key }) => key).sort());
  expect(overlaps([...rects(layout).values()]), 'cards overlap').toBe(0);
  expect(overlaps(blocksOf(input).map((block) => blockRect(block, layout))), 'plates overlap').toBe(0);
}

/** A reproducible graph of many namespaces. */
function large(cards: number, plates: number, arrows: number): LayoutInput {
  let state = 7;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  const edges = Array.from({ length: arrows }, () => {
    const from = below(cards);
    return { source: `w${from}`, destination: `w${Math.min(cards - 1, from + 1 + below(30))}` };
  });
  return {
    cards: Array.from({ length: cards }, (_, index) => ({
      key: `w${index}`,
      plate: `p${Math.floor((index * plates) / cards)}`,
      doors: [{ port: 80, protocol: 6 }],
    })),
    edges: edges.filter(({ source, destination }) => source !== destination),
  };
}

describe('a fresh layout', () => {
  test('puts arrows from left to right, keeps cards and plates apart, and is the same every time', () => {
    const layout = freshLayout(SHOP);
    expectReadable(SHOP, layout);
    for (const { source, destination } of SHOP.edges) {
      expect(layout.get(source)!.column, `${source}>${destination}`).toBeLessThan(layout.get(destination)!.column);
    }
    expect([...freshLayout(SHOP)]).toEqual([...layout]);
  });

  test('in a room higher than wide has few columns, so that it can be read', () => {
    const chain = graph('n/a n/b n/c n/d n/e m/f m/g /world', 'world>a a>b b>c c>d d>e d>f f>g');
    const columns = (layout: Layout) => new Set([...layout.values()].map(({ column }) => column)).size;
    const narrow = { ...chain, room: { aspect: 0.73 } };
    const layout = freshLayout(narrow);
    expectReadable(narrow, layout);
    expect(columns(layout)).toBeLessThan(columns(freshLayout(chain)) / 1.5);
  });

  test('manages cycles, cards that talk to themselves, and cards nobody talks to', () => {
    const odd = graph('n/a n/b n/c n/alone /x', 'a>b b>c c>a a>a');
    expectReadable(odd, freshLayout(odd));
    expect(freshLayout({ cards: [], edges: [] }).size).toBe(0);
  });

  test('has few layers however long a cycle is', () => {
    const ring = Array.from({ length: 300 }, (_, index) => ({ from: index, to: (index + 1) % 300, weight: 1 }));
    expect(Math.max(...assignLayers(300, ring))).toBeLessThan(mostLayers(300, 300));
  });

  // The goal is a second; the benchmark `layout` holds it to that. A spec runs beside others.
  test('of 1,000 cards takes no time to speak of, and is shaped like a page', () => {
    const input = large(1_000, 60, 2_500);
    const begun = process.cpuUsage();
    const layout = freshLayout(input);
    const { user } = process.cpuUsage(begun);
    expect(user / 1e3).toBeLessThan(2_500);
    expectReadable(input, layout);
    const all = [...rects(layout).values()];
    const width = Math.max(...all.map(({ x }) => x)) - Math.min(...all.map(({ x }) => x));
    const height = Math.max(...all.map(({ y }) => y)) - Math.min(...all.map(({ y }) => y));
    expect(width / height).toBeGreaterThan(0.4);
    expect(width / height).toBeLessThan(6);
  });
});

describe('a later layout', () => {
  test('gives a newcomer a place after those that call it, as long as that moves nobody', () => {
    const few = graph('shop/page shop/one shop/two', 'page>one page>two');
    const more = graph('shop/page shop/one shop/two shop/three', 'page>one page>two page>three');
    const before = freshLayout(few);
    const after = updateLayout(more, before);
    expectReadable(more, after);
    expect(after.get('three')!.column).toBeGreaterThan(after.get('page')!.column);
    for (const [key, stood] of before) expect(after.get(key)).toEqual(stood);
  });

  test('leaves everything where it was when nothing changed', () => {
    const layout = freshLayout(SHOP);
    expect([...updateLayout(SHOP, layout)].sort()).toEqual([...layout].sort());
  });

  test('moves the median card not at all when one comes, and keeps all apart', () => {
    const input = large(300, 20, 700);
    let layout: Layout = freshLayout(input);
    const cards = [...input.cards];
    const edges = [...input.edges];
    for (let arrival = 0; arrival < 30; arrival++) {
      cards.push({ key: `new${arrival}`, plate: `p${arrival % 20}`, doors: [{ port: 80, protocol: 6 }] });
      edges.push({ source: `new${arrival}`, destination: `w${arrival * 7}` });
      const next = updateLayout({ cards, edges }, layout);
      const moves = [...layout].map(([key, was]) => {
        const is = next.get(key)!;
        return Math.hypot(columnX(is.column) - columnX(was.column), is.y - was.y);
      });
      expect(moves.sort((a, b) => a - b)[Math.floor(moves.length / 2)]).toBe(0);
      expectReadable({ cards, edges }, next);
      layout = next;
    }
  });

  test('lays out anew what is mostly unknown', () => {
    const before = freshLayout(graph('n/z n/a', 'z>a'));
    expect([...updateLayout(SHOP, before)]).toEqual([...freshLayout(SHOP)]);
  });
});

describe('pinned cards', () => {
  test('stand where they were put; what was there makes room', () => {
    const layout = freshLayout(SHOP);
    const b = layout.get('b')!;
    const pins = new Map([['c', { column: b.column, y: b.y + 8 }]]);
    applyPins(SHOP, layout, pins);
    expect(layout.get('c')).toMatchObject({ column: b.column, y: b.y + 8 });
    expectReadable(SHOP, layout);
  });

  test('keep their place through later layouts, and their plate stays out of others’ way', () => {
    const layout = freshLayout(SHOP);
    const d = layout.get('d')!;
    const pins = new Map([['a', { column: d.column, y: d.y }]]);
    applyPins(SHOP, layout, pins);
    expectReadable(SHOP, layout);
    const again = updateLayout(SHOP, layout);
    applyPins(SHOP, again, pins);
    expect([...again].sort()).toEqual([...layout].sort());
  });

  test('give way to one that is put over them later, and so do their plates', () => {
    const layout = freshLayout(SHOP);
    const { column, y } = layout.get('d')!;
    const pins = new Map(['d', 'b', 'a'].map((key) => [key, { column, y }]));
    applyPins(SHOP, layout, pins);
    expect(layout.get('a')).toMatchObject({ column, y });
    expectReadable(SHOP, layout);
  });

  test('of cards that are gone do nothing', () => {
    const layout = freshLayout(SHOP);
    const before = [...layout];
    applyPins(SHOP, layout, new Map([['gone', { column: 0, y: 0 }]]));
    expect([...layout]).toEqual(before);
  });
});

describe('a stack', () => {
  test('keeps the order and the gaps, and wishes where it can', () => {
    expect(stack([10, 50, 90], [20, 20, 20], 4)).toEqual([0, 40, 80]);
    const crowded = stack([50, 50, 50], [20, 20, 20], 10);
    expect(crowded).toEqual([10, 40, 70]);
  });
});

test('a card is as high as its doors need', () => {
  expect(cardHeight(0)).toBeLessThan(cardHeight(1));
  expect(cardHeight(2) - cardHeight(1)).toBe(cardHeight(3) - cardHeight(2));
});
