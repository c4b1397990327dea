import { expect, test } from 'vitest';
import { groupGraph } from '../graph/group.ts';
import { freshLayout } from '../graph/layout.ts';
import { levelOfDetail } from '../graph/level-of-detail.ts';
import { liveNumbers } from '../graph/live.ts';
import type { ModelCard, ModelEdge } from '../graph/model.ts';
import { buildScene } from '../graph/scene.ts';
import { visibleGraph } from '../graph/visible.ts';
import { card, edge, FACTS, mapModel, NOW } from '../testing/sample-map.ts';
import type { MapEvent } from './map-protocol.ts';
import { MapReceiver } from './map-receiver.ts';
import { MapSender } from './map-sender.ts';

const [web, db, api] = [card('shop/web'), card('shop/db'), card('shop/api')];

function drawn(cards: readonly ModelCard[], edges: readonly ModelEdge[]) {
  const clock = { now: NOW, quietAfterMs: 300_000 };
  const visible = visibleGraph(mapModel(cards, edges), clock);
  const graph = levelOfDetail(groupGraph(visible, { by: 'namespace', folded: new Set() }));
  const scene = buildScene(graph, freshLayout(graph), FACTS);
  return { scene, live: liveNumbers(graph, clock) };
}

function connected() {
  const receiver = new MapReceiver();
  const events: MapEvent[] = [];
  const sender = new MapSender((event) => {
    events.push(event);
    // As from one thread to another.
    receiver.hear(structuredClone(event));
  });
  return { sender, receiver, events };
}

test('scenes and numbers arrive as they were sent', () => {
  const { sender, receiver, events } = connected();
  const moments = [
    drawn([web, db], [edge(web, db, 3306, { flows: 8, dropped: 20, dropReason: 133, rttMicros: 900 })]),
    drawn([web, db, api], [edge(web, db, 3306), edge(web, api), edge(api, db, 3306)]),
    drawn([web, api], [edge(web, api, 80, { audited: 3 })]),
  ];
  for (const { scene, live } of moments) {
    sender.scene(scene, live, 5);
    expect(receiver.state).toEqual({ scene, layoutMs: 5, ...live });
  }
  const { live } = drawn([web, api], [edge(web, api, 80, { flows: 70, bytes: 1_000, rttMicros: 12 })]);
  sender.live(live);
  expect(receiver.state).toMatchObject(live);
  const told = events.length;
  sender.live(live);
  expect(events).toHaveLength(told);
});

test('what did not change stays the same object, and is not told again', () => {
  const { sender, receiver, events } = connected();
  const before = drawn([web, db], [edge(web, db, 3306), edge(web, db, 33_060)]);
  sender.scene(before.scene, before.live, 0);
  const { cards, edges } = receiver.state!.scene;
  events.length = 0;
  // Another of the same: all objects are new.
  const after = drawn([web, db], [edge(web, db, 3306), edge(web, db, 33_060)]);
  sender.scene(after.scene, after.live, 0);
  expect(events.map(({ type }) => type)).toEqual(['scene']);
  expect(receiver.state!.scene.cards[0]).toBe(cards[0]);
  expect(receiver.state!.scene.edges.at(-1)).toBe(edges.at(-1));
});

test('one who comes later is told all of it', () => {
  const { sender, receiver } = connected();
  const { scene, live } = drawn([web, db], [edge(web, db, 3306)]);
  sender.scene(scene, live, 5);
  const changed = drawn([web, db], [edge(web, db, 3306, { flows: 9 })]);
  sender.live(changed.live);
  const late = new MapReceiver();
  sender.repeat((event) => late.hear(structuredClone(event)));
  expect(late.state).toEqual(receiver.state);
});

test('many are told in pieces', () => {
  const { sender, receiver, events } = connected();
  const cards = Array.from({ length: 120 }, (_, index) => card(`shop/service-${index}`));
  const edges = cards.flatMap((from, at) => [1, 2, 3].map((step) => edge(from, cards[(at + step) % cards.length])));
  const { scene, live } = drawn(cards, edges);
  sender.scene(scene, live, 0);
  expect(scene.edges.length).toBeGreaterThan(250);
  for (const event of events) if (event.type === 'fresh') expect(event.edges.length).toBeLessThanOrEqual(250);
  expect(receiver.state!.scene).toEqual(scene);
});
