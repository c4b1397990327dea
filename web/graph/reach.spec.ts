import { describe, expect, test } from 'vitest';
import { WORLD_NAME } from '#core/card/card-name.ts';
import { groupGraph } from './group.ts';
import { levelOfDetail } from './level-of-detail.ts';
import { liveNumbers } from './live.ts';
import type { EdgeStats, MapModel, ModelCard, ModelEdge } from './model.ts';
import { edgeKey } from './model.ts';
import { markReach, type ReachView, withReach } from './reach.ts';
import { withServices } from './service-cards.ts';
import { visibleGraph } from './visible.ts';

const NOW = 1_000_000;
const card = (name: string): ModelCard => ({
  ...{ key: name, kind: 'workload', cluster: 'c', namespace: 'shop', workloadKind: 'Deployment', name, labels: [] },
  ...{ members: 1, replicas: 1, nodes: [], identity: 1, firstSeen: NOW, lastSeen: NOW },
});
const STATS: EdgeStats = {
  ...{ connections: 1, flows: 1, bytes: 1, replyBytes: 1, totalConnections: 9, totalBytes: 9, totalReplyBytes: 9 },
  ...{ forwarded: 5, dropped: 0, audited: 0, rttMicros: 0, retransmits: 0, lastSeen: NOW, dropReason: 0 },
  ...{ requests: 0, answers: 0, failures: 0, p50Micros: 0, p99Micros: 0 },
};
function edge(source: string, destination: string, port: number, stats: Partial<EdgeStats> = {}): ModelEdge {
  const key = edgeKey(source, destination, port, 6);
  return { key, source, destination, port, protocol: 6, firstSeen: NOW, stats: { ...STATS, ...stats } };
}
function model(cards: string[], edges: ModelEdge[]): MapModel {
  return {
    cards: new Map(cards.map((name) => [name, card(name)])),
    edges: new Map(edges.map((each) => [each.key, each])),
    ...{ omittedCards: 0, omittedEdges: 0, knownSince: 0, clockAhead: 0 },
  };
}
const reach = (source: string, destination: string, firstPort: number, lastPort = firstPort, protocol = 6) => ({
  ...{ source, destination, firstPort, lastPort, protocol },
});
const view = (more: Partial<ReachView>): ReachView => ({ reaches: [], closedIngress: [], closedEgress: [], ...more });

/** `source>destination` → verdict, as drawn. */
function drawn(base: MapModel, reachView: ReachView): Record<string, string> {
  const visible = visibleGraph(withReach(base, reachView), { now: NOW, quietAfterMs: 60_000 });
  const graph = levelOfDetail(groupGraph(visible, { by: 'namespace', folded: new Set() }));
  const live = markReach(graph, liveNumbers(graph, { now: NOW, quietAfterMs: 60_000 }).edges, reachView);
  return Object.fromEntries(
    graph.edges.map(({ key, source, destination }) => [`${source}>${destination}`, live.get(key)!.verdict]),
  );
}

describe('what policies allow, on the map', () => {
  test('is drawn where nobody was seen to do it', () => {
    const base = model(['web', 'db', 'cart'], [edge('web', 'db', 5432)]);
    const closedIngress = ['db'];
    expect(
      drawn(base, view({ reaches: [reach('web', 'db', 5432), reach('cart', 'db', 5432)], closedIngress })),
    ).toEqual({
      'web>db': 'forwarded',
      'cart>db': 'permitted',
    });
  });

  test('a range of ports, and every port, is seen by any of them', () => {
    const base = model(['web', 'db'], [edge('web', 'db', 5432)]);
    const edges = (one: ReturnType<typeof reach>) => withReach(base, view({ reaches: [one] })).edges.size;
    expect(edges(reach('web', 'db', 5000, 6000))).toBe(1);
    expect(edges(reach('web', 'db', 0, 65_535, 0))).toBe(1);
    expect(edges(reach('web', 'db', 80))).toBe(2);
    expect(edges(reach('web', 'db', 5432, 5432, 17))).toBe(2);
  });

  test('what no policy closes is told apart from what a rule lets through; drops stay drops', () => {
    const base = model(
      ['web', 'db', 'cart', 'spy'],
      [edge('web', 'db', 5432), edge('web', 'cart', 80), edge('spy', 'db', 1, { forwarded: 0, dropped: 3 })],
    );
    expect(drawn(base, view({ closedIngress: ['db'] }))).toEqual({
      'web>db': 'forwarded',
      'web>cart': 'open',
      'spy>db': 'dropped',
    });
    expect(drawn(base, view({ closedEgress: ['web'] }))).toMatchObject({ 'web>cart': 'forwarded' });
  });

  test('the world is there for rules about it, though nobody of it was seen', () => {
    const base = model(['web'], []);
    const world = WORLD_NAME.key;
    expect(drawn(base, view({ reaches: [reach(world, 'web', 443), reach('web', world, 53, 53, 17)] }))).toEqual({
      [`${world}>web`]: 'permitted',
      [`web>${world}`]: 'permitted',
    });
    expect(withReach(base, view({ reaches: [reach(world, 'db', 443)] })).cards.size).toBe(1);
  });

  test('cards per node are what policies say of their workload', () => {
    const base = model(
      ['web@n1', 'web@n2', 'db@n1', 'spy@n1'],
      [edge('web@n1', 'db@n1', 5432), edge('web@n1', 'spy@n1', 1)],
    );
    expect(drawn(base, view({ reaches: [reach('web', 'db', 5432)], closedIngress: ['db'] }))).toEqual({
      'web@n1>db@n1': 'forwarded',
      'web@n2>db@n1': 'permitted',
      'web@n1>spy@n1': 'open',
    });
  });

  test('arrows that only rules make are bounded', () => {
    const nodes = Array.from({ length: 80 }, (_, node) => `n${node}`);
    const base = model(
      nodes.flatMap((node) => [`web@${node}`, `db@${node}`]),
      [],
    );
    expect(withReach(base, view({ reaches: [reach('web', 'db', 80)] })).edges.size).toBe(4_000);
  });

  test('a Service between leaves both halves of what is seen, and is decided by nobody', () => {
    const base = model(['c/shop/Deployment/web', 'c/shop/Deployment/db'], []);
    const [web, db] = base.cards.keys();
    const key = edgeKey(web, db, 80, 6);
    const seen = { ...edge(web, db, 80), key, services: ['shop/db'] };
    const withEdge = { ...base, edges: new Map([[key, seen]]) };
    const shown = withServices(withReach(withEdge, view({ reaches: [reach(web, db, 80)] })));
    expect([...shown.edges.values()].map(({ permitted }) => permitted)).toEqual([undefined, undefined]);
    expect(drawn(shown, view({ closedIngress: [db] }))).toEqual({
      [`${web}>c/shop/Service/db`]: 'forwarded',
      [`c/shop/Service/db>${db}`]: 'forwarded',
    });
  });

  test('nothing is drawn to who is not on the map', () => {
    expect(drawn(model(['web'], []), view({ reaches: [reach('web', 'db', 5432)] }))).toEqual({});
  });
});
