import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, it } from 'vitest';
import { DROP_REASON } from '#core/flow/drop-reason.ts';
import { NO_ENDPOINT } from '#core/flow/endpoint.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { CardKind, type MapUpdate, MapUpdateSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import {
  DB,
  pod,
  pushFlows,
  type SampleFlow,
  TO_ENDPOINT,
  TO_STACK,
  WEB,
  WORLD,
} from '#runtime/testing/sample-flows.ts';
import { LiveMap, type LiveMapOptions } from './live-map.ts';

// Kernel times have fractions of a millisecond.
const NOW = Date.UTC(2031, 4, 1, 12) + 0.375;
let nowMs: number;
let window: FlowWindow;
beforeEach(() => {
  nowMs = NOW;
  window = new FlowWindow(10_000);
});

function liveMap(options: Partial<LiveMapOptions> = {}): LiveMap {
  return new LiveMap({ endpoints: window.endpoints, now: () => nowMs, ...options });
}

function see(map: LiveMap, ...flows: SampleFlow[]): void {
  const from = window.end;
  pushFlows(
    window,
    flows.map((flow) => ({ timeMs: nowMs, ...flow })),
  );
  map.add(window.columns, from, window.end);
}

function drawn(map: LiveMap): MapUpdate {
  map.tick();
  return fromBinary(MapUpdateSchema, toBinary(MapUpdateSchema, map.snapshot()));
}

/** `web → maindb:3306/6` for every edge. */
function arrows({ cards, edges }: MapUpdate): string[] {
  const name = (id: number) => cards.find((card) => card.id === id)?.name;
  return edges.map((edge) => `${name(edge.source)} → ${name(edge.destination)}:${edge.port}/${edge.protocol}`).sort();
}

const SYN = { ...TO_STACK };
const SYN_IN = { ...TO_ENDPOINT };
const REPLY = { source: DB, destination: WEB, sourcePort: 3306, destinationPort: 41_000, reply: 1, tcpFlags: 0x12 };

describe('the live map', () => {
  it('draws both ends of a connection, and its replies, as one edge with the destination’s counters', () => {
    const map = liveMap();
    see(map, SYN, SYN_IN);
    see(map, { ...REPLY, observation: 3, direction: 1 }, { ...REPLY, observation: 101, direction: 2 });
    see(
      map,
      { ...SYN, trigger: TRIGGER.CLOSE, bytesOriginal: 1000, bytesReply: 5000, packetsReply: 7, retransmits: 2 },
      { ...SYN_IN, trigger: TRIGGER.CLOSE, bytesOriginal: 940, bytesReply: 5100, packetsReply: 8, retransmits: 1 },
    );
    const update = drawn(map);
    expect(arrows(update)).toEqual(['web → maindb:3306/6']);
    expect(update.cards.map(({ key }) => key).sort()).toEqual([
      'test/data/Deployment/maindb',
      'test/shop/Deployment/web',
    ]);
    expect(update.edges[0].stats).toMatchObject({
      connections: 1n,
      connectionsPerSecond: 0.1,
      flowsPerSecond: 0.3,
      // 60 of the SYN, 60 "original" of the reply's record, 940 of the close.
      bytes: 1060n,
      replyBytes: 5100n,
      replyPackets: 8n,
      bytesPerSecond: 106,
      forwarded: 3,
      dropped: 0,
      retransmits: 3,
    });
  });

  it('tells the Services that clients came through, also when they are seen after the edge', () => {
    const map = liveMap();
    const through = (name: string) => ({
      ...DB,
      service: { namespace: 'data', name, portName: '', address: '10.96.0.1', port: 3306 },
    });
    see(map, SYN_IN);
    expect(drawn(map).edges[0].services).toEqual([]);
    const { version } = map;
    see(map, { ...SYN, destination: through('maindb') }, { ...SYN, destination: through('maindb') });
    map.tick();
    const [edge] = map.changesSince(version - 1)!.edges;
    expect(edge.services).toEqual(['data/maindb']);
    see(map, { ...SYN, destination: through('replica') });
    const update = drawn(map);
    expect(update.edges).toHaveLength(1);
    expect(update.edges[0].services).toEqual(['data/maindb', 'data/replica']);
    // The pod is one, whichever way clients come to it.
    expect(update.cards.find(({ name }) => name === 'maindb')?.members).toBe(1);
  });

  it('has one card of a workload for each node, where that is asked for', () => {
    const [one, two] = [pod('shop', 'web', 'node1', '10.0.1.1', 'a'), pod('shop', 'web', 'node2', '10.0.2.1', 'b')];
    const flows = [
      { ...SYN, source: one },
      { ...SYN, source: two },
    ];
    const whole = liveMap();
    see(whole, ...flows);
    expect(drawn(whole).cards.filter(({ name }) => name === 'web')).toHaveLength(1);
    const split = liveMap({ perNode: true });
    see(split, ...flows);
    const cards = drawn(split).cards.filter(({ name }) => name === 'web');
    expect(cards.map(({ key, nodes }) => [key, nodes])).toEqual([
      ['test/shop/Deployment/web@node1', ['node1']],
      ['test/shop/Deployment/web@node2', ['node2']],
    ]);
  });

  it('gives named parts of the world cards of their own, up to a bound', () => {
    const map = liveMap();
    see(map, { ...SYN, destination: WORLD });
    see(
      map,
      ...Array.from({ length: 150 }, (_, index) => ({
        ...SYN,
        destination: { ...WORLD, address: `203.0.113.${index}`, names: [`host-${index}.example.com`] },
      })),
    );
    const world = drawn(map).cards.filter(({ kind }) => kind === CardKind.WORLD);
    expect(world).toHaveLength(101);
    expect(world.map(({ name }) => name)).toContain('host-7.example.com');
    expect(world.find(({ name }) => name === 'world')!.members).toBe(51);
  });

  it('says how many pods a workload has by the cluster’s state, and when that changes', () => {
    let replicas = 3;
    const map = liveMap({ replicas: ({ name }) => (name === 'web' ? replicas : 0) });
    see(map, SYN);
    expect(drawn(map).cards.map(({ name, replicas }) => [name, replicas])).toEqual(
      expect.arrayContaining([
        ['web', 3],
        ['maindb', 0],
      ]),
    );
    const version = map.version - 1;
    replicas = 5;
    nowMs += 1500;
    map.tick();
    expect(map.changesSince(version)?.cards.map(({ name, replicas }) => [name, replicas])).toEqual([['web', 5]]);
  });

  it('takes the source’s counters when the destination is not observed', () => {
    const map = liveMap({ observes: (_cluster, node) => node === 'node-1' });
    see(map, SYN, { ...SYN, trigger: TRIGGER.CLOSE, bytesOriginal: 500 });
    expect(drawn(map).edges[0].stats).toMatchObject({ connections: 1n, bytes: 560n });
    const world = liveMap();
    see(world, { ...SYN, destination: WORLD, destinationPort: 443, bytesOriginal: 77 });
    expect(drawn(world).edges[0].stats).toMatchObject({ connections: 1n, bytes: 77n });
  });

  it('falls back to the source’s counters while an observed destination keeps silent', () => {
    const map = liveMap();
    see(map, SYN);
    expect(drawn(map).edges[0].stats).toMatchObject({ connections: 1n, bytes: 60n });
    see(map, SYN_IN);
    expect(drawn(map).edges[0].stats).toMatchObject({ connections: 1n, bytes: 60n });
  });

  it('shows the worse verdict of the two ends', () => {
    const map = liveMap();
    const drop = { verdict: VERDICT.DROPPED, dropReason: DROP_REASON.POLICY_DENIED, trigger: TRIGGER.DROP };
    see(map, SYN, { ...SYN_IN, ...drop }, { ...SYN_IN, ...drop });
    see(map, { ...SYN, destination: WORLD, destinationPort: 443, ...drop, dropReason: DROP_REASON.INVALID_IDENTITY });
    const update = drawn(map);
    const stats = update.edges.map((edge) => edge.stats);
    // The SYN that the source saw leave is one of those that were dropped.
    expect(stats[0]).toMatchObject({ dropped: 2, forwarded: 0, connections: 0n, flowsPerSecond: 0.2, dropReason: 133 });
    expect(stats[1]).toMatchObject({ dropped: 1, forwarded: 0, connections: 0n, bytes: 0n, dropReason: 171 });
    const audited = liveMap();
    see(audited, { ...SYN, verdict: VERDICT.AUDIT }, SYN_IN);
    expect(drawn(audited).edges[0].stats).toMatchObject({ audited: 1, forwarded: 0 });
  });

  it('never makes an ephemeral port an edge’s port', () => {
    const map = liveMap();
    // The first sign of the connection is a reply.
    see(map, { ...REPLY, observation: 101, direction: 2 });
    // Orientation not known: the lower port listens.
    const open = { reply: 2, tcpFlags: 0x10, trigger: TRIGGER.INTERVAL };
    see(
      map,
      { ...open, sourcePort: 8080, destinationPort: 55_000 },
      { ...open, sourcePort: 55_000, destinationPort: 8080 },
    );
    // A SYN tells, whatever the ports.
    see(map, { ...open, tcpFlags: 0x02, sourcePort: 1000, destinationPort: 9000 });
    see(map, { ...open, tcpFlags: 0x12, source: DB, destination: WEB, sourcePort: 9000, destinationPort: 1000 });
    expect(arrows(drawn(map))).toEqual([
      'maindb → web:8080/6',
      'web → maindb:3306/6',
      'web → maindb:8080/6',
      'web → maindb:9000/6',
    ]);
  });

  it('lets a known edge decide what a row leaves open, and turns its counters', () => {
    const map = liveMap();
    see(map, { ...SYN_IN, sourcePort: 2000, destinationPort: 30_000 });
    const open = { reply: 2, tcpFlags: 0x10, trigger: TRIGGER.INTERVAL, sourcePort: 30_000, destinationPort: 2000 };
    see(map, {
      ...open,
      source: DB,
      destination: WEB,
      observation: 3,
      direction: 0,
      bytesOriginal: 900,
      bytesReply: 30,
    });
    const update = drawn(map);
    expect(arrows(update)).toEqual(['web → maindb:30000/6']);
    expect(update.edges[0].stats).toMatchObject({ bytes: 90n, replyBytes: 900n });
  });

  it('has no ports for ICMP', () => {
    const map = liveMap();
    see(map, { protocol: 1, sourcePort: 8, destinationPort: 0, tcpFlags: 0 });
    expect(arrows(drawn(map))).toEqual(['web → maindb:0/1']);
  });

  it('gathers pods of a workload, and what is not a pod, on cards', () => {
    const map = liveMap();
    const reserved = (identity: number, address: string) => ({ ...NO_ENDPOINT, cluster: 'test', identity, address });
    see(map, {}, { source: pod('shop', 'web', 'node-2', '10.0.2.8', 'b') });
    for (const [identity, address] of [
      [2, '9.9.9.9'],
      [9, '8.8.8.8'],
      [0x01000001, '7.7.7.7'],
    ] as const) {
      see(map, { destination: { ...reserved(identity, address), cluster: '' } });
    }
    see(map, { destination: reserved(1, '10.0.1.1') }, { destination: reserved(6, '10.0.2.1') });
    see(map, { destination: reserved(0, '10.9.9.9') });
    const { cards } = drawn(map);
    expect(cards.find(({ name }) => name === 'web')).toMatchObject({
      kind: CardKind.WORKLOAD,
      workloadKind: 'Deployment',
      namespace: 'shop',
      members: 2,
      nodes: ['node-1', 'node-2'],
      // What only one of its pods carries is not the workload's.
      labels: ['k8s:app=web'],
    });
    expect(cards.find(({ name }) => name === 'world')).toMatchObject({
      kind: CardKind.WORLD,
      members: 3,
      key: '//World/world',
    });
    expect(cards.find(({ name }) => name === 'host')?.kind).toBe(CardKind.HOST);
    expect(cards.find(({ name }) => name === 'remote-node')?.kind).toBe(CardKind.REMOTE_NODE);
    expect(cards.find(({ name }) => name === 'unknown')?.kind).toBe(CardKind.UNKNOWN);
  });

  it('follows a pod’s new labels and another endpoint under the same number', () => {
    const map = liveMap();
    see(map, {});
    see(map, { source: { ...WEB, labels: ['k8s:app=web', 'k8s:tier=front'] } });
    expect(drawn(map).cards.find(({ name }) => name === 'web')?.labels).toEqual(['k8s:app=web', 'k8s:tier=front']);
    const small = new FlowWindow(1);
    const reused = new LiveMap({ endpoints: small.endpoints, now: () => nowMs });
    for (const name of ['one', 'two', 'three']) {
      pushFlows(small, [{ source: pod('shop', name, 'node-1', '10.0.1.8'), timeMs: nowMs }]);
      reused.add(small.columns, 0, 1);
    }
    expect(arrows(drawn(reused))).toEqual(['one → maindb:3306/6', 'three → maindb:3306/6', 'two → maindb:3306/6']);
  });

  it('tells rates as means of the last 10 s, the same at whatever moment, and the median round trip', () => {
    const map = liveMap();
    for (let tenth = 0; tenth < 300; tenth++) {
      see(map, { ...SYN_IN, bytesOriginal: 100, rttMicros: tenth % 2 === 0 ? 200 : 10_000 + tenth });
      nowMs += 100;
      map.tick();
      const { connectionsPerSecond, bytesPerSecond } = drawn(map).edges[0].stats!;
      if (tenth < 120) continue;
      expect(Math.abs(connectionsPerSecond - 10), `at ${tenth}`).toBeLessThan(0.15);
      expect(Math.abs(bytesPerSecond - 1000), `at ${tenth}`).toBeLessThan(15);
    }
    const stats = drawn(map).edges[0].stats!;
    expect(stats).toMatchObject({ connections: 300n, forwarded: 90 });
    expect(stats.rttMicros).toBeGreaterThanOrEqual(200);
    expect(stats.rttMicros).toBeLessThan(10_400);
    nowMs += 20_000;
    expect(drawn(map).edges[0].stats).toMatchObject({ bytesPerSecond: 0, forwarded: 0, connections: 300n });
  });

  it('tells a steady stream as steady, although it is heard of every five seconds', () => {
    const map = liveMap();
    see(map, { ...SYN_IN, bytesOriginal: 0 });
    // A packet after the interval has passed makes the record: a little later each time.
    for (let at = 50; at < 90_000; at += 50) {
      nowMs += 50;
      if (at % 5_050 === 0) {
        see(map, { ...SYN_IN, trigger: TRIGGER.INTERVAL, bytesOriginal: 5_050, bytesReply: 50_500, packetsReply: 9 });
      }
      if (at < 16_000 || at % 250 > 0) continue;
      const { bytesPerSecond, replyBytesPerSecond } = drawn(map).edges[0].stats!;
      expect(Math.abs(bytesPerSecond - 1_000), `after ${at} ms`).toBeLessThan(25);
      expect(Math.abs(replyBytesPerSecond - 10_000), `after ${at} ms`).toBeLessThan(250);
    }
    expect(drawn(map).edges[0].stats).toMatchObject({ bytes: 17n * 5_050n, replyBytes: 17n * 50_500n });
  });

  it('counts the drops that are told by their number in another’s row', () => {
    const map = liveMap();
    const drop = { verdict: VERDICT.DROPPED, dropReason: DROP_REASON.POLICY_DENIED, trigger: TRIGGER.DROP };
    see(map, { ...SYN_IN, ...drop, packetsOriginal: 1 }, { ...SYN_IN, ...drop, packetsOriginal: 89 });
    expect(drawn(map).edges[0].stats).toMatchObject({ dropped: 90, forwarded: 0, flowsPerSecond: 9 });
  });

  it('tells only what changed', () => {
    const map = liveMap();
    see(map, SYN_IN);
    drawn(map);
    const first = map.version - 1;
    see(map, { ...SYN_IN, destinationPort: 5432 });
    map.tick();
    const added = map.changesSince(first)!;
    expect(added.snapshot).toBe(false);
    expect(added.edges).toHaveLength(1);
    const second = map.version - 1;
    see(map, { ...SYN_IN, destinationPort: 5432 });
    map.tick();
    const changed = map.changesSince(second)!;
    expect([changed.cards.length, changed.edges.length, changed.stats.length]).toEqual([0, 0, 1]);
    // Rates fall until they are told as 0; then there is nothing to tell.
    for (let second = 0; second < 15; second++) {
      nowMs += 1000;
      map.tick();
    }
    const quiet = map.version - 1;
    nowMs += 1000;
    map.tick();
    expect(map.changesSince(quiet)).toBeUndefined();
    expect(map.changesSince(first)?.stats.every(({ flowsPerSecond }) => flowsPerSecond === 0)).toBe(true);
  });

  it('forgets what has aged, and says so', () => {
    const map = liveMap({ maxAgeMs: 60_000 });
    see(map, SYN_IN, { ...SYN_IN, source: WORLD });
    const before = drawn(map);
    const version = map.version - 1;
    nowMs += 50_000;
    see(map, SYN_IN);
    nowMs += 20_000;
    map.tick();
    const world = before.cards.find(({ name }) => name === 'world')!;
    const update = map.changesSince(version)!;
    expect(update.removedCards).toEqual([world.id]);
    expect(update.removedEdges).toEqual([before.edges.find(({ source }) => source === world.id)?.id]);
    // Who comes back is somebody new.
    see(map, { ...SYN_IN, source: WORLD });
    const again = drawn(map).cards.find(({ name }) => name === 'world')!;
    expect(again.id).toBeGreaterThan(world.id);
    // Long ago: nothing to add up any more.
    nowMs += 1_000_000;
    see(map, { ...SYN_IN, timeMs: NOW });
    expect(drawn(map).cards).toEqual([]);
  });

  it('is bounded, and counts what it left out', () => {
    const map = liveMap({ maxCards: 10, maxEdges: 50 });
    for (let port = 1; port <= 1000; port++) see(map, { ...SYN_IN, destinationPort: port });
    for (let index = 0; index < 100; index++) {
      see(map, { ...SYN_IN, source: pod('shop', `w${index}`, 'node-1', `10.1.0.${index}`) });
    }
    const update = drawn(map);
    expect(update.edges).toHaveLength(50);
    expect(update.cards).toHaveLength(10);
    expect(update.omittedCards).toBe(92);
    expect(Math.abs(update.omittedEdges - 950)).toBeLessThan(60);
  });

  it('adds up the same in whatever order rows come', () => {
    const flows = Array.from(
      { length: 500 },
      (_, index): SampleFlow => ({
        ...(index % 2 ? SYN : SYN_IN),
        timeMs: NOW - 200_000 + index * 300,
        destinationPort: 80 + (index % 7),
        bytesOriginal: index,
      }),
    );
    const totals = (order: SampleFlow[]) => {
      const map = liveMap();
      see(map, ...order);
      const { edges } = drawn(map);
      return edges
        .map(({ port, stats, firstSeen }) => [port, stats?.bytes, stats?.connections, stats?.lastSeen, firstSeen])
        .sort((a, b) => Number(a[0]) - Number(b[0]));
    };
    expect(totals(flows.toReversed())).toEqual(totals(flows));
  });
});
