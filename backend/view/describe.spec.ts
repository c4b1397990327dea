import { create } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { expect, it, describe as suite } from 'vitest';
import { REPLY } from '#core/flow/direction.ts';
import { DROP_REASON } from '#core/flow/drop-reason.ts';
import { NO_DECISION } from '#core/flow/policy-decision.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { DescribeRequestSchema, FlowSide, ListValuesRequestSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { DB, pod, type SampleFlow, SampleStream, TO_ENDPOINT, WEB, WORLD } from '#runtime/testing/sample-flows.ts';
import { createRelay, type Relay } from '../relay/relay.ts';
import { ViewReader } from '../testing/view-reader.ts';
import { describe } from './describe.ts';
import { listValues } from './list-values.ts';

const NOW = 1_790_000_010_000;
const WEB_KEY = 'test/shop/Deployment/web';
const DB_KEY = 'test/data/Deployment/maindb';
const { signal } = new AbortController();
const POLICY = { kind: 'NetworkPolicy', namespace: 'data', name: 'no-web', rule: -1 };
const DENIED = { ...NO_DECISION, direction: 1, deniedBy: [POLICY], defaultDeny: true };

function relayWith(flows: readonly SampleFlow[]): Relay {
  const relay = createRelay({ mergeWaitMs: 0 });
  relay.openIngest().receive(new SampleStream().batch(flows));
  relay.flush();
  return relay;
}

const ask = (request: Partial<{ card: string; destination: string; last: number; filter: string[] }>) =>
  create(DescribeRequestSchema, { card: WEB_KEY, ...request });

suite('describing a card', () => {
  const at = (secondsAgo: number) => ({ timeMs: NOW - secondsAgo * 1000 });
  const relay = relayWith([
    { ...at(100) },
    { ...at(100), ...TO_ENDPOINT },
    // A reply is of the same edge.
    { ...at(99), source: DB, destination: WEB, sourcePort: 3306, destinationPort: 41_000, reply: REPLY.REPLY },
    { ...at(20), verdict: VERDICT.DROPPED, dropReason: DROP_REASON.POLICY_DENIED, ...TO_ENDPOINT, decision: DENIED },
    { ...at(12), verdict: VERDICT.DROPPED, dropReason: DROP_REASON.POLICY_DENIED, ...TO_ENDPOINT, decision: DENIED },
    { ...at(11), source: pod('shop', 'web', 'node-2', '10.0.2.8', 'b'), destination: WORLD, destinationPort: 443 },
    { ...at(11), source: DB, destination: WORLD, destinationPort: 443 },
  ]);

  it('tells its pods, the latest heard first', async () => {
    const { members, omittedMembers } = await describe(relay, ask({}), signal, NOW);
    expect(members.map(({ name, address, node }) => ({ name, address, node }))).toEqual([
      { name: 'web-5f7c-b', address: '10.0.2.8', node: 'node-2' },
      { name: 'web-5f7c-a', address: '10.0.1.7', node: 'node-1' },
    ]);
    expect(members[1].labels).toEqual(['k8s:app=web', 'k8s:pod=a']);
    expect(omittedMembers).toBe(0);
  });

  it('tells flows over time per edge, each connection at one end, from where the window begins', async () => {
    const { edges, seriesStart, stepMillis } = await describe(relay, ask({}), signal, NOW);
    const start = timestampMs(seriesStart!);
    expect(start).toBeLessThanOrEqual(NOW - 97_000);
    expect(start).toBeGreaterThanOrEqual(NOW - 100_000);
    const [toDatabase, toWorld] = edges;
    expect(toDatabase).toMatchObject({ source: WEB_KEY, destination: DB_KEY, port: 3306, protocol: 6 });
    expect(toWorld).toMatchObject({ destination: '//World/world', port: 443 });
    expect(toDatabase.forwarded).toHaveLength(Math.floor((Math.floor(NOW / 3000) * 3000 - start) / stepMillis));
    expect(toDatabase.dropped.reduce((sum, value) => sum + value, 0)).toBe(2);
    expect(toDatabase.dropped[Math.floor((NOW - 20_000 - start) / stepMillis)]).toBe(1);
  });

  it('takes nothing for forwarded that the other end drops', async () => {
    const all = { ...TO_ENDPOINT, verdict: VERDICT.DROPPED, dropReason: DROP_REASON.POLICY_DENIED };
    const before = { ...at(60), destination: WORLD, destinationPort: 443 };
    const denied = relayWith([before, { ...at(20) }, { ...at(20), ...all }, { ...at(17) }, { ...at(17), ...all }]);
    const [edge] = (await describe(denied, ask({}), signal, NOW)).edges;
    const sums = [edge.forwarded, edge.dropped].map((steps) => steps.reduce((sum, value) => sum + value, 0));
    expect(sums).toEqual([0, 2]);
  });

  it('tells what was dropped, why, where and by which policy', async () => {
    const { drops } = await describe(relay, ask({}), signal, NOW);
    expect(drops).toHaveLength(1);
    expect(drops[0]).toMatchObject({
      source: WEB_KEY,
      destination: DB_KEY,
      port: 3306,
      reason: DROP_REASON.POLICY_DENIED,
      count: 2,
      node: 'node-1',
      direction: 1,
      policy: { defaultDeny: true, deniedBy: [{ name: 'no-web' }] },
    });
    expect(timestampMs(drops[0].last!)).toBe(NOW - 12_000);
  });

  it('of one edge is about that direction and those ends only', async () => {
    const { edges, latest } = await describe(relay, ask({ destination: DB_KEY, last: 10 }), signal, NOW);
    expect(edges).toHaveLength(1);
    const reader = new ViewReader();
    reader.takeBatch(latest!);
    expect(reader.window.end).toBe(5);
    const back = await describe(relay, ask({ card: DB_KEY, destination: WEB_KEY, last: 10 }), signal, NOW);
    expect(back.edges).toEqual([]);
    expect(back.latest!.rows).toBe(0);
  });

  it('goes by the view', async () => {
    const { edges, drops } = await describe(relay, ask({ filter: ['verdict=forwarded', 'port=443'] }), signal, NOW);
    expect(edges.map(({ port }) => port)).toEqual([443]);
    expect(drops).toEqual([]);
  });

  it('knows nothing of a card that never was, and refuses what is no key', async () => {
    const none = await describe(relay, ask({ card: 'test/shop/Deployment/none' }), signal, NOW);
    expect([none.members, none.edges, none.drops]).toEqual([[], [], []]);
    await expect(describe(relay, ask({ card: '' }), signal)).rejects.toThrow(/key of a card/);
    await expect(describe(relay, ask({ card: 'x'.repeat(2_000) }), signal)).rejects.toThrow(/at most 1024/);
    await expect(describe(relay, ask({ filter: ['bogus=1'] }), signal)).rejects.toThrow(/not a filter/);
  });
});

suite('listing values', () => {
  const relay = relayWith([{}, {}, { destination: WORLD, destinationPort: 443 }]);
  const list = (request: { field: string; side?: FlowSide; typed?: string; filter?: string[]; limit?: number }) =>
    listValues(relay, create(ListValuesRequestSchema, request), signal);

  it('tells those of the flows that the rest of the view shows', async () => {
    expect(await list({ field: 'port' })).toMatchObject({ values: ['3306', '443'], lookedAt: 3 });
    expect((await list({ field: 'port', filter: ['to:identity=world'] })).values).toEqual(['443']);
    expect((await list({ field: 'ns', side: FlowSide.TO })).values).toEqual(['data']);
    expect((await list({ field: 'pod', typed: 'main' })).values).toEqual(['data/maindb-5f7c-a']);
    expect((await list({ field: 'port', limit: 1 })).values).toEqual(['3306']);
  });

  it('refuses what it does not know', async () => {
    await expect(list({ field: 'bogus' })).rejects.toThrow(/"bogus" is not a filter field/);
    await expect(list({ field: 'port', filter: ['port=x'] })).rejects.toThrow(/filter 1/);
  });

  it('has nothing to offer for what flows do not carry', async () => {
    expect(await list({ field: 'http.status' })).toMatchObject({ values: [] });
  });
});
