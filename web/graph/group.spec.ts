import { describe, expect, test } from 'vitest';
import { card, edge, mapModel, NOW, worldCard } from '../testing/sample-map.ts';
import { Folding } from './folding.ts';
import { foldedKey, type GroupOptions, groupGraph, MOST_DOORS, plateOfFolded } from './group.ts';
import { levelOfDetail } from './level-of-detail.ts';
import type { ModelCard, ModelEdge } from './model.ts';
import { namingLabels } from './plates.ts';
import { visibleGraph } from './visible.ts';

const NONE: ReadonlySet<string> = new Set();

function grouped(cards: ModelCard[], edges: ModelEdge[], options: Partial<GroupOptions> = {}) {
  const visible = visibleGraph(mapModel(cards, edges), { now: NOW, quietAfterMs: 60_000 });
  return groupGraph(visible, { by: 'namespace', folded: NONE, ...options });
}

const web = card('shop/web');
const v1 = card('shop/reviews-v1', { labels: ['k8s:app=reviews', 'k8s:version=v1'] });
const v2 = card('shop/reviews-v2', { labels: ['k8s:app=reviews', 'k8s:version=v2'], nodes: ['node2'] });
const db = card('data/db', { nodes: ['node1', 'node2'] });
const world = worldCard();
const all = [web, v1, v2, db, world];
const edges = [edge(web, v1), edge(web, v2), edge(v1, db, 3306), edge(v2, db, 3306), edge(world, web, 443)];

function plates(by: GroupOptions['by'], cards = all) {
  return Object.fromEntries(grouped(cards, edges, { by }).plates.map(({ title, workloads }) => [title, workloads]));
}

describe('grouping', () => {
  test('by namespace, app or node makes plates; by workload none', () => {
    expect(plates('namespace')).toEqual({ shop: 3, data: 1 });
    expect(plates('app')).toEqual({ web: 1, reviews: 2, db: 1 });
    expect(plates('workload')).toEqual({});
    // What runs on several nodes stands on none; split by the server, it has a card for each.
    expect(plates('node')).toEqual({ node1: 2, node2: 1 });
    const split = ['node1', 'node2'].map((node) => ({ ...db, key: `${db.key}@${node}`, nodes: [node] }));
    expect(plates('node', [web, v1, v2, ...split])).toEqual({ node1: 3, node2: 2 });
  });

  test('a folded plate is one card with all its arrows; one with a single workload is shown as it is', () => {
    const graph = grouped(all, edges, { folded: new Set(['c/shop', 'c/data']) });
    const shop = foldedKey('c/shop');
    expect(plateOfFolded(shop)).toBe('c/shop');
    expect(plateOfFolded(web.key)).toBeUndefined();
    const folded = graph.cards.find(({ key }) => key === shop)!;
    expect([folded.title, folded.folded, folded.plate, folded.members.length]).toEqual(['shop', 3, '', 3]);
    expect(graph.cards.map(({ key }) => key)).toContain(db.key);
    expect(graph.edges.map(({ source, destination }) => [source, destination])).toEqual([
      [world.key, shop],
      [shop, db.key],
    ]);
    expect(graph.edges[1].members).toHaveLength(2);
  });

  test('ports become doors, in order of number, the busiest where there are many', () => {
    const ports = Array.from({ length: 9 }, (_, index) => 8000 + index);
    const graph = grouped(
      [web, db],
      ports.map((port) => edge(web, db, port, { totalConnections: port })),
    );
    const { doors, morePorts } = graph.cards.find(({ key }) => key === db.key)!;
    expect(doors.map(({ port }) => port)).toEqual(ports.slice(-MOST_DOORS));
    expect(morePorts).toBe(ports.length - MOST_DOORS);
    const whole = graph.edges.find(({ door }) => door === -1)!;
    expect(whole.members.map(({ port }) => port)).toEqual([8000, 8001, 8002]);
  });

  test('large maps fold by themselves, people decide otherwise, and the limit does not flap', () => {
    const folding = new Folding();
    const many = (count: number) => ({
      cards: Array.from({ length: count }, (_, index) => card(`ns-${index % 10}/w-${index}`)),
    });
    const nobody = { folded: NONE, unfolded: NONE };
    expect(folding.decide(many(100), 'namespace', nobody).size).toBe(0);
    expect(folding.decide(many(130), 'namespace', nobody).size).toBe(10);
    expect(folding.decide(many(100), 'namespace', nobody).size).toBe(10);
    expect(folding.decide(many(100), 'namespace', { folded: NONE, unfolded: new Set(['c/ns-3']) }).size).toBe(9);
    expect(folding.decide(many(80), 'namespace', nobody).size).toBe(0);
    expect(folding.decide(many(200), 'workload', nobody).size).toBe(0);
    // Where there is little room, sooner.
    expect(folding.decide(many(40), 'namespace', nobody, 30).size).toBe(10);
    expect(folding.decide(many(20), 'namespace', nobody, 30).size).toBe(0);
  });

  test('with more plates than can be read, those whose names begin alike are one card that opens', () => {
    const cards = Array.from({ length: 200 }, (_, index) => card(`${index % 2 === 0 ? 'dev' : 'prod'}-${index}/web`));
    const calls = cards.slice(1).map((each, index) => edge(cards[index], each, 80));
    const folding = new Folding();
    const shown = (unfolded: string[]) => {
      const folded = folding.decide({ cards }, 'namespace', { folded: NONE, unfolded: new Set(unfolded) });
      return grouped(cards, calls, { folded });
    };
    const graph = shown([]);
    expect(graph.cards.length).toBeLessThan(60);
    expect(graph.cards.reduce((sum, { folded }) => sum + folded, 0)).toBe(200);
    const bundle = graph.cards.find(({ plates }) => plates > 1)!;
    expect(bundle.title).toMatch(/^(dev|prod)-\d*\*$/);
    const opened = shown([plateOfFolded(bundle.key)!]);
    expect(opened.cards).toHaveLength(graph.cards.length - 1 + bundle.plates);
    expect(opened.cards.map(({ key }) => key)).not.toContain(bundle.key);
  });

  test('offers the labels that could name cards', () => {
    expect(namingLabels([web, v1, v2, world])).toEqual(['app', 'version']);
  });
});

describe('the level of detail', () => {
  const many = Array.from({ length: 40 }, (_, index) => card(`shop/w-${index}`));
  const dense = many.flatMap((from, i) =>
    many.filter((_, j) => j !== i).flatMap((to) => [edge(from, to, 80), edge(from, to, 443)]),
  );

  test('keeps all arrows while they can be drawn', () => {
    const graph = levelOfDetail(grouped(all, edges));
    expect([graph.edges.length, graph.mergedEdges, graph.hiddenEdges]).toEqual([5, 0, 0]);
  });

  test('merges arrows between the same cards, then leaves out the least used and counts them; drops stay', () => {
    const graph = grouped(many, dense);
    const merged = levelOfDetail(graph, 2_000);
    expect([merged.edges.length, merged.mergedEdges, merged.hiddenEdges]).toEqual([1560, 1560, 0]);
    const dropping = edge(many[0], many[1], 80, { dropped: 3, totalConnections: 0 });
    const least = levelOfDetail(grouped(many, [dropping, ...dense.slice(1)]), 100);
    expect([least.edges.length, least.hiddenEdges]).toEqual([100, 1460]);
    expect(least.edges.some(({ members }) => members.includes(dropping))).toBe(true);
  });
});
