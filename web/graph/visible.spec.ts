import { describe, expect, test } from 'vitest';
import { card, edge, mapModel, NOW, worldCard } from '../testing/sample-map.ts';
import { type Expression, parseExpression } from './expression.ts';
import { neighbourhood } from './neighbourhood.ts';
import { QUIET_STEPS, quietStep } from './quiet.ts';
import { visibleGraph } from './visible.ts';

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => card(`shop/${name}`));
const chain = [edge(a, b), edge(b, c), edge(c, d)];
const usual = { now: NOW, quietAfterMs: 60_000 };
const names = (graph: { cards: readonly { name: string }[] }) => graph.cards.map(({ name }) => name).join('');
const hide = (text: string) => parseExpression(text) as Expression;

describe('the visible graph', () => {
  test('is the same whatever the order it was told in', () => {
    const one = visibleGraph(mapModel([a, b, c], chain), usual);
    const other = visibleGraph(mapModel([c, b, a], chain.toReversed()), usual);
    expect(other).toEqual(one);
    expect(one.edges).toHaveLength(2);
  });

  test('lets go of arrows and cards that are silent for the chosen time, and of neither sooner', () => {
    const silent = NOW - 70_000;
    const old = card('shop/old', { lastSeen: silent });
    const reached = card('shop/reached', { lastSeen: silent });
    const model = mapModel([a, b, old, reached], [edge(a, b, 80, { lastSeen: silent }), edge(a, reached)]);
    const graph = visibleGraph(model, usual);
    expect(graph.cards.map(({ name }) => name)).toEqual(['a', 'b', 'reached']);
    expect(graph.edges).toHaveLength(1);
    expect(visibleGraph(model, { ...usual, quietAfterMs: 80_000 }).edges).toHaveLength(2);
  });

  test('shows only what is near the focus', () => {
    const model = mapModel([a, b, c, d], chain);
    expect(names(visibleGraph(model, { ...usual, focus: { key: b.key, hops: 1 } }))).toBe('abc');
    expect(names(visibleGraph(model, { ...usual, focus: { key: a.key, hops: 2 } }))).toBe('abc');
    expect(names(visibleGraph(model, { ...usual, focus: { key: 'gone', hops: 2 } }))).toBe('');
    expect([...neighbourhood(chain, [d.key], 9)]).toHaveLength(4);
  });

  test('leaves out cards with their arrows, and says how many', () => {
    const world = worldCard();
    const model = mapModel([a, b, world], [edge(world, a), edge(a, b)]);
    const graph = visibleGraph(model, { ...usual, hide: hide('kind=world') });
    expect([names(graph), graph.edges.length, graph.hiddenCards]).toEqual(['ab', 1, 1]);
  });

  test('leaves out arrows, and cards that have no others', () => {
    const lonely = card('shop/lonely');
    const model = mapModel([a, b, c, lonely], [edge(a, b, 80), edge(b, c, 53, {}, 17)]);
    const graph = visibleGraph(model, { ...usual, hide: hide('port=53') });
    expect(graph.cards.map(({ name }) => name)).toEqual(['a', 'b', 'lonely']);
    expect(graph.hiddenCards).toBe(1);
  });
});

test('what is quiet fades in few steps until it leaves', () => {
  const leave = 300_000;
  const steps = Array.from({ length: 301 }, (_, second) => quietStep(second * 1000, leave));
  expect(steps[0]).toBe(0);
  expect(steps[15]).toBe(0);
  expect(steps[20]).toBe(1);
  expect(steps[300]).toBe(QUIET_STEPS);
  expect(new Set(steps).size).toBe(QUIET_STEPS + 1);
  expect(steps.every((step, at) => at === 0 || step >= steps[at - 1])).toBe(true);
  expect(quietStep(14_000, 15_000)).toBe(QUIET_STEPS);
});
