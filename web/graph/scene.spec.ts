import { describe, expect, test } from 'vitest';
import { card, edge, FACTS, mapModel, NOW, worldCard } from '../testing/sample-map.ts';
import { type Expression, parseExpression } from './expression.ts';
import { foldedKey, groupGraph } from './group.ts';
import { freshLayout } from './layout.ts';
import { updateLayout } from './layout-incremental.ts';
import { levelOfDetail } from './level-of-detail.ts';
import { edgeWidth, liveNumbers } from './live.ts';
import type { ModelCard, ModelEdge } from './model.ts';
import { applyPins } from './pins.ts';
import { piecesOf } from './route.ts';
import { buildScene, type Scene, type SceneFacts } from './scene.ts';
import { visibleGraph } from './visible.ts';

function graphOf(cards: readonly ModelCard[], edges: readonly ModelEdge[], folded: readonly string[] = []) {
  const visible = visibleGraph(mapModel(cards, edges), { now: NOW, quietAfterMs: 300_000 });
  return levelOfDetail(groupGraph(visible, { by: 'namespace', folded: new Set(folded) }));
}

function sceneOf(cards: ModelCard[], edges: ModelEdge[], facts: Partial<SceneFacts> = {}, folded: string[] = []) {
  const graph = graphOf(cards, edges, folded);
  return buildScene(graph, freshLayout(graph), { ...FACTS, ...facts });
}

/** Points along an arrow's curve. */
function* pointsOf(route: Scene['edges'][number]['route']): Generator<[number, number]> {
  let [x, y] = route.start;
  for (const [x1, y1, x2, y2, toX, toY] of piecesOf(route)) {
    for (let step = 1; step <= 12; step++) {
      const t = step / 12;
      const u = 1 - t;
      const [a, b, c, d] = [u ** 3, 3 * t * u ** 2, 3 * t ** 2 * u, t ** 3];
      yield [a * x + b * x1 + c * x2 + d * toX, a * y + b * y1 + c * y2 + d * toY];
    }
    [x, y] = [toX, toY];
  }
}

/** Arrows that pass under a card. */
function crossings({ cards, edges }: Scene): string[] {
  const found = edges.flatMap(({ key, route }) =>
    [...pointsOf(route)].flatMap(([x, y]) =>
      cards
        // Within the card by more than its border: arrows touch their own.
        .filter((c) => x > c.x + 9 && x < c.x + c.width - 1 && y > c.y + 1 && y < c.y + c.height - 1)
        .map(({ name }) => `${key} under ${name}`),
    ),
  );
  return [...new Set(found)];
}

const web = card('shop/web');
const db = card('data/maindb');
const world = worldCard();

describe('a scene', () => {
  test('no arrow passes under a card, wherever cards are dragged to', () => {
    const cards = Array.from({ length: 60 }, (_, index) => card(`ns-${index % 6}/w-${index}`));
    const edges = cards.flatMap((from, index) =>
      [1, 7, 13, 29].map((step) => edge(from, cards[(index * 3 + step) % 60], 8000 + (step % 3))),
    );
    const graph = graphOf(cards, edges);
    const pins = new Map<string, { column: number; y: number }>();
    let layout = freshLayout(graph);
    for (let drags = 0; drags <= 12; drags++) {
      const [dragged, target] = [cards[(drags * 17) % 60], cards[(drags * 23 + 5) % 60]];
      const { column, y } = layout.get(target.key)!;
      if (drags > 0) pins.set(dragged.key, { column: column + (drags % 3) - 1, y: y + 8 * (drags % 5) });
      layout = updateLayout(graph, layout);
      applyPins(graph, layout, pins);
      if (drags % 4 === 0) expect(crossings(buildScene(graph, layout, FACTS)), `after ${drags}`).toEqual([]);
    }
  });

  test('arrows leave on the right and end at their door', () => {
    const { cards, edges } = sceneOf([web, db], [edge(web, db, 3306), edge(web, db, 9104)]);
    const target = cards.find(({ key }) => key === db.key)!;
    const source = cards.find(({ key }) => key === web.key)!;
    for (const { route, door } of edges) {
      expect(route.start[0]).toBe(source.x + source.width);
      expect(route.end[1]).toBe(target.y + target.doors[door].y);
      expect(target.x - route.end[0]).toBeGreaterThan(0);
    }
    expect(edges.map(({ words }) => words)).toEqual(['port 3306 TCP', 'port 9104 TCP']);
  });

  test('names cards by a label, marks pins, and tells plates', () => {
    const named = sceneOf([web, db, world], [edge(web, db)], { nameLabel: 'app', pinned: new Set([db.key]) });
    expect(named.cards.find(({ pinned }) => pinned)?.key).toBe(db.key);
    expect(named.plates.map(({ title, kind, facts }) => `${title} ${kind} ${facts}`).sort()).toEqual([
      'data namespace 1 workload',
      'shop namespace 1 workload',
    ]);
    const labelled = card('shop/web-7f', { labels: ['k8s:app=web'] });
    expect(sceneOf([labelled], [], { nameLabel: 'app' }).cards[0].title).toBe('web');
  });

  test('tells what is looked for, in what is folded too', () => {
    const find = (text: string) => parseExpression(text) as Expression;
    const api = card('shop/api');
    const edges = [edge(web, db, 3306), edge(world, web, 443), edge(web, api)];
    const open = sceneOf([web, api, db, world], edges, { find: find('port=3306') }).found!;
    expect(open.cards.toSorted()).toEqual([db.key, web.key]);
    expect(open.edges).toHaveLength(1);
    const folded = sceneOf([web, api, db, world], edges, { find: find('name=api') }, ['c/shop']).found!;
    expect(folded.cards).toEqual([foldedKey('c/shop')]);
    expect(sceneOf([web], []).found).toBeUndefined();
  });
});

describe('live numbers', () => {
  const clock = { now: NOW, quietAfterMs: 300_000 };

  test('are the rate, health and verdict of arrows, doors and cards', () => {
    const graph = graphOf(
      [web, db, world],
      [
        edge(web, db, 3306, { flows: 8, forwarded: 60, dropped: 20, dropReason: 133, rttMicros: 900 }),
        edge(world, web),
      ],
    );
    const { cards, edges } = liveNumbers(graph, clock);
    const [arrow] = [...edges].filter(([key]) => key.startsWith(web.key)).map(([, each]) => each);
    expect(arrow).toMatchObject({ verdict: 'mixed', rate: 8, dropsPerMinute: 120, dropReason: 133, quiet: 0 });
    expect(cards.get(db.key)).toMatchObject({ rate: 8, doors: [{ forwardedShare: 0.75, rttMicros: 900 }] });
    expect(cards.get(world.key)!.rate).toBe(1);
  });

  test('fade with silence', () => {
    const silent = { lastSeen: NOW - 200_000 };
    const old = card('shop/old', silent);
    const { cards, edges } = liveNumbers(graphOf([web, old], [edge(web, old, 80, { ...silent, forwarded: 0 })]), clock);
    expect([...edges.values()][0]).toMatchObject({ verdict: 'quiet', quiet: 2 });
    expect(cards.get(old.key)!.quiet).toBe(2);
    expect(cards.get(web.key)!.quiet).toBe(0);
  });

  test('width grows with the rate, in steps, up to a bound', () => {
    const [chatty, heavy] = [
      edge(web, db, 80, { flows: 90, bytes: 900 }),
      edge(web, db, 81, { flows: 0.2, bytes: 9e5 }),
    ];
    const wider = (byBytes: boolean) => {
      const { edges } = liveNumbers(graphOf([web, db], [chatty, heavy]), clock, byBytes);
      return [...edges].toSorted((a, b) => b[1].width - a[1].width)[0][0].endsWith('81/6');
    };
    expect([wider(false), wider(true)]).toEqual([false, true]);
    const widths = [0, 1, 2, 10, 100, 1_000, 1e9].map(edgeWidth);
    expect(widths.toSorted((a, b) => a - b)).toEqual(widths);
    expect(widths[0]).toBe(1.25);
    expect(widths.at(-1)).toBe(5.25);
  });
});
