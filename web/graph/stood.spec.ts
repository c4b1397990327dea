import { expect, test } from 'vitest';
import { card, edge, mapModel, NOW } from '../testing/sample-map.ts';
import { foldedKey, groupGraph } from './group.ts';
import { freshLayout, type Standing } from './layout.ts';
import { updateLayout } from './layout-incremental.ts';
import { levelOfDetail } from './level-of-detail.ts';
import { Stood } from './stood.ts';
import { visibleGraph } from './visible.ts';

const cards = Array.from({ length: 24 }, (_, index) => card(`ns-${index % 4}/w-${index}`));
const edges = cards.flatMap((from, index) => [1, 5].map((step) => edge(from, cards[(index * 3 + step) % 24], 8000)));
const PLATE = 'c/ns-1';

function graphOf(folded: readonly string[] = [], left: (name: string) => boolean = () => false) {
  const model = mapModel(
    cards.filter(({ name }) => !left(name)),
    edges,
  );
  const visible = visibleGraph(model, { now: NOW, quietAfterMs: 300_000 });
  return levelOfDetail(groupGraph(visible, { by: 'namespace', folded: new Set(folded) }));
}

/** As the map goes from one graph to the next. */
function next(graph: ReturnType<typeof graphOf>, before: Map<string, Standing>, stood: Stood): Map<string, Standing> {
  const layout = updateLayout(graph, before, stood.placesFor(graph, before));
  stood.note(before, layout);
  return layout;
}

test('a plate that is folded up stands where its cards stood, and opens there, and nothing else moves', () => {
  const stood = new Stood();
  const before = freshLayout(graphOf());
  const folded = next(graphOf([PLATE]), before, stood);
  const { column, y } = folded.get(foldedKey(PLATE))!;
  const own = cards.filter(({ namespace }) => namespace === 'ns-1').map(({ key }) => before.get(key)!);
  const columns = own.map((at) => at.column);
  expect(column).toBeGreaterThanOrEqual(Math.min(...columns));
  expect(column).toBeLessThanOrEqual(Math.max(...columns));
  expect(y).toBeGreaterThanOrEqual(Math.min(...own.map((at) => at.y)));
  expect(y).toBeLessThan(Math.max(...own.map((at) => at.y + at.height)));
  for (const [key, at] of folded) if (key !== foldedKey(PLATE)) expect(at, key).toEqual(before.get(key));
  expect([...next(graphOf(), folded, stood)].sort()).toEqual([...before].sort());
});

test('a card that comes back finds its place, unless another has taken it', () => {
  const stood = new Stood();
  const before = freshLayout(graphOf());
  const { key } = cards[7];
  const without = next(
    graphOf([], (name) => name === 'w-7'),
    before,
    stood,
  );
  expect(without.has(key)).toBe(false);
  expect(next(graphOf(), without, stood).get(key)).toEqual(before.get(key));
  const taken = new Map(without).set(cards[2].key, before.get(key)!);
  expect(stood.placesFor(graphOf(), taken).has(key)).toBe(false);
});
