import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { type MapUpdate, MapUpdateSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { MapStore } from './map-store.ts';

const CARDS = [
  { id: 1, key: 'web' },
  { id: 2, key: 'db' },
];

function update(init: Parameters<typeof create<typeof MapUpdateSchema>>[1]): MapUpdate {
  return create(MapUpdateSchema, init);
}

test('an edge keeps its number from one stream to the next', () => {
  const store = new MapStore();
  const edges = [80, 443].map((port, index) => ({ id: 7 + index, source: 1, destination: 2, port, protocol: 6 }));
  const first = store.apply(update({ snapshot: true, cards: CARDS, edges }));
  const again = store.apply(
    update({ snapshot: true, cards: CARDS, edges: [{ id: 1, source: 1, destination: 2, port: 443, protocol: 6 }] }),
  );
  expect(again.edges[0].id).toBe(first.edges[1].id);
});

test('numbers of edges that have long gone are forgotten, those of others stay, and none is given twice', () => {
  const store = new MapStore();
  const edge = (id: number, port: number) => ({ id, source: 1, destination: 2, port, protocol: 6 });
  const lasting = store.apply(update({ snapshot: true, cards: CARDS, edges: [edge(0, 65_535)] })).edges[0];
  const given = new Set([lasting.id]);
  for (let round = 0; round < 40; round++) {
    const ids = Array.from({ length: 1_000 }, (_, at) => 1 + 1_000 * round + at);
    const { edges } = store.apply(update({ edges: ids.map((id) => edge(id, id)) }));
    for (const { id } of edges) given.add(id);
    store.apply(update({ removedEdges: ids }));
  }
  expect(given.size).toBe(40_001);
  const [back, still] = store.apply(
    update({ snapshot: true, cards: CARDS, edges: [edge(1, 1), edge(0, 65_535)] }),
  ).edges;
  expect(still.id).toBe(lasting.id);
  expect(given.has(back.id)).toBe(false);
});
