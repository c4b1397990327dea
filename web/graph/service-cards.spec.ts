import { describe, expect, it } from 'vitest';
import { STAT_FIELDS } from './edge-stats.ts';
import { type EdgeStats, edgeKey, type MapModel, type ModelCard, type ModelEdge } from './model.ts';
import { withServices } from './service-cards.ts';

const card = (name: string): [string, ModelCard] => [
  name,
  {
    ...{ key: name, kind: 'workload', cluster: 'c', namespace: 'shop', workloadKind: 'Deployment', name, labels: [] },
    ...{ members: 1, replicas: 1, nodes: [], identity: 1, firstSeen: 0, lastSeen: 0 },
  },
];
const stats = (flows: number, rttMicros = 0): EdgeStats => ({
  ...(Object.fromEntries(STAT_FIELDS.map((field) => [field, 0])) as unknown as EdgeStats),
  flows,
  rttMicros,
});
const edge = (source: string, destination: string, more: Partial<ModelEdge> = {}): [string, ModelEdge] => {
  const key = edgeKey(source, destination, 80, 6);
  return [key, { key, source, destination, port: 80, protocol: 6, firstSeen: 5, stats: stats(1), ...more }];
};
const model = (cards: [string, ModelCard][], edges: [string, ModelEdge][]): MapModel => ({
  ...{ omittedCards: 0, omittedEdges: 0, knownSince: 0, clockAhead: 0 },
  cards: new Map(cards),
  edges: new Map(edges),
});

describe('Services on the map', () => {
  it('stand between who asks for them and who serves them, with what goes through together', () => {
    const first = edge('a', 'db', { services: ['shop/db'], stats: stats(2, 30), firstSeen: 9 });
    const shown = withServices(
      model(
        [card('a'), card('b'), card('db')],
        [first, edge('b', 'db', { services: ['shop/db'], stats: stats(3, 50) })],
      ),
    );
    const service = 'c/shop/Service/db';
    expect([...shown.cards.keys()]).toEqual(['a', 'b', 'db', service]);
    const arrows = [...shown.edges.values()].map((each) => [each.source, each.destination, each.stats.flows]);
    expect(arrows).toEqual([
      ['a', service, 2],
      [service, 'db', 5],
      ['b', service, 3],
    ]);
    const through = shown.edges.get(edgeKey(service, 'db', 80, 6))!;
    expect({ ...through.stats }).toMatchObject({ flows: 5, rttMicros: 50 });
    expect(through.firstSeen).toBe(5);
    // Statistics change in place.
    first[1].stats.flows = 10;
    expect(through.stats.flows).toBe(13);
  });

  it('share a card where one client came through several, as nobody knows what through which', () => {
    const services = ['shop/db', 'ops/db-old', 'shop/a', 'shop/z'];
    const shown = withServices(
      model(
        [card('a'), card('b'), card('db')],
        [edge('a', 'db', { services: services.slice(0, 2) }), edge('b', 'db', { services })],
      ),
    );
    const names = [...shown.cards.values()].map(({ namespace, name }) => `${namespace}: ${name}`);
    expect(names.slice(3)).toEqual(['ops: db-old + db (shop)', 'ops: db-old + a (shop) + db (shop) + 1 more']);
    expect([...shown.edges.values()].map(({ source, destination }) => `${source} ${destination}`)).toEqual([
      'a c/ops/Service/db-old + db (shop)',
      'c/ops/Service/db-old + db (shop) db',
      'b c/ops/Service/db-old + a (shop) + db (shop) + 1 more',
      'c/ops/Service/db-old + a (shop) + db (shop) + 1 more db',
    ]);
  });

  it('leave alone what goes without one', () => {
    const given = model([card('a'), card('db')], [edge('a', 'db')]);
    expect(withServices(given)).toEqual(given);
  });
});
