import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { compileFilter } from '#core/filter/compile-filter.ts';
import { parseFilter } from '#core/filter/parse-filter.ts';
import { rowObject } from '#core/flow/testing/row-object.ts';
import { NodeState } from '#proto/gen/waggle/v1/flow_pb.ts';
import { FakeHubble } from '#runtime/testing/fake-hubble.ts';
import { InProcessAgent } from '#runtime/testing/in-process-agent.ts';
import { DB, WORLD } from '#runtime/testing/sample-flows.ts';
import { type Backend, type BackendOptions, startBackend } from '../start.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const options: BackendOptions = {
  listen: '127.0.0.1:0',
  relayListen: '127.0.0.1:0',
  backoff: { firstMs: 20, mostMs: 50 },
  log: pino({ level: 'silent' }),
};
const soon = { timeout: 30_000 };

async function start(more: BackendOptions): Promise<Backend> {
  const backend = await startBackend({ ...options, ...more });
  cleanups.push(() => backend.close());
  return backend;
}

/** A Hubble relay over one agent, and a backend in front of it that knows it by Hubble's API only. */
async function behindHubble() {
  const agent = new InProcessAgent('node-1');
  await agent.start();
  cleanups.push(() => agent.stop());
  const hubble = await start({ agents: [agent] });
  const backend = await start({ hubble: [{ address: hubble.relayAddress }] });
  return { agent, hubble, backend };
}

const rows = ({ relay: { window } }: Backend) =>
  Array.from({ length: window.length }, (_, index) => {
    const slot = window.slot(window.start + index);
    const { id, ...row } = rowObject(window.columns, slot, window.endpoints, window.nodes, window.decisions);
    return row;
  });

describe('a backend in front of a Hubble relay', () => {
  it('has the same flows, without what Hubble does not tell', async () => {
    const { agent, hubble, backend } = await behindHubble();
    const timeMs = Date.now() - 1_000;
    agent.observe(
      { timeMs, bytesOriginal: 777, rttMicros: 42 },
      { timeMs: timeMs + 1, source: DB, destination: WORLD, destinationPort: 53, protocol: 17 },
      { timeMs: timeMs + 2, verdict: 2, dropReason: 133 },
    );
    await vi.waitFor(() => expect(backend.relay.window.end).toBe(3), soon);
    const told = rows(backend);
    expect(told).toMatchObject(
      rows(hubble).map(({ source, destination, verdict, protocol, destinationPort, time }) => ({
        source: { pod: (source as { pod: string }).pod, labels: (source as { labels: string[] }).labels },
        destination: { address: (destination as { address: string }).address },
        ...{ verdict, protocol, destinationPort, time },
      })),
    );
    expect(told[0]).toMatchObject({ bytesOriginal: 0, rttMicros: 0, node: 'test/node-1' });
    const { filter } = parseFilter(['verdict=dropped', 'from:pod=shop/web']);
    const { window } = backend.relay;
    const passes = compileFilter(filter, window);
    expect([0, 1, 2].filter((slot) => passes(window.columns, slot))).toEqual([2]);
  });

  it('knows the nodes behind it, and when the relay is gone', async () => {
    const { agent, hubble, backend } = await behindHubble();
    agent.observe({});
    await vi.waitFor(
      () =>
        expect(backend.relay.nodes()).toMatchObject([{ cluster: 'test', name: 'node-1', state: NodeState.CONNECTED }]),
      soon,
    );
    expect(backend.relay.observes('test', 'node-1')).toBe(true);
    expect(backend.relay.observes('test', 'node-2')).toBe(false);
    await hubble.close();
    await vi.waitFor(() => expect(backend.relay.nodes()).toMatchObject([{ state: NodeState.UNAVAILABLE }]), soon);
    expect(backend.relay.observes('test', 'node-1')).toBe(false);
  });

  it('goes on where it was, without gap or repeat', async () => {
    const agent = new InProcessAgent('node-1');
    await agent.start();
    cleanups.push(() => agent.stop());
    let hubble = await start({ agents: [agent] });
    const backend = await start({ hubble: [{ address: hubble.relayAddress }] });
    let timeMs = Date.now() - 10_000;
    const observe = (count: number) => {
      // Pairs share an instant.
      for (let index = 0; index < count; index++) {
        timeMs += index % 2;
        sent++;
        agent.observe({ timeMs, sourcePort: 1_000 + sent });
      }
    };
    let sent = 0;
    observe(11);
    await vi.waitFor(() => expect(backend.relay.window.end).toBe(11), soon);
    const { relayAddress } = hubble;
    await hubble.close();
    await vi.waitFor(() => expect(backend.relay.nodes()[0].state).toBe(NodeState.UNAVAILABLE), soon);
    observe(10);
    hubble = await start({ agents: [agent], relayListen: relayAddress });
    observe(10);
    await vi.waitFor(() => expect(backend.relay.window.end).toBe(31), soon);
    const { window } = backend.relay;
    const ports = Array.from({ length: 31 }, (_, index) => window.columns.sourcePort[window.slot(index)]);
    expect(ports.sort((a, b) => a - b)).toEqual(Array.from({ length: 31 }, (_, index) => 1_001 + index));
  });

  it('has flows of a slow node that come after the connection was lost, and none twice', async () => {
    let hubble = new FakeHubble();
    await hubble.start();
    const { address } = hubble;
    const backend = await start({ hubble: [{ address }] });
    const { window } = backend.relay;
    const now = Date.now();
    const flow = (node: string, agoMs: number) => {
      const time = timestampFromMs(now - agoMs);
      return { verdict: 1 as const, nodeName: `kind/${node}`, uuid: `${node}-${agoMs}`, time };
    };
    // A day ahead: from the time of its flows nobody else's would come.
    const before = [flow('ahead', -86_400_000), flow('quick', 300), flow('slow', 900), flow('quick', 200)];
    hubble.tell(...before);
    await vi.waitFor(() => expect(window.end).toBe(4), soon);
    await hubble.stop();
    hubble = new FakeHubble();
    cleanups.push(() => hubble.stop());
    hubble.tell(...before, flow('slow', 800), flow('new', 700), flow('quick', 100));
    await hubble.start(address);
    await vi.waitFor(() => expect(window.end).toBe(7), soon);
    expect(Number(hubble.requests[0].since!.seconds)).toBeLessThan(now / 1_000);
    hubble.tell(flow('quick', 0));
    await vi.waitFor(() => expect(window.end).toBe(8), soon);
  });

  it('knows where pods live from who observes them', async () => {
    const { agent, backend } = await behindHubble();
    const timeMs = Date.now() - 1_000;
    // The far end of the second flow is the observer of the first.
    agent.observe({ timeMs, observation: 101, direction: 1 }, { timeMs: timeMs + 1, observation: 3, direction: 2 });
    await vi.waitFor(() => expect(backend.relay.window.end).toBe(2), soon);
    // The entry for none, two pods with their node, and one as the first flow showed it.
    expect(backend.relay.window.endpoints.size).toBe(4);
    expect(rows(backend)[0]).toMatchObject({ destination: { pod: 'maindb-5f7c-a', node: 'node-1' } });
    expect(rows(backend)[1]).toMatchObject({
      source: { pod: 'web-5f7c-a', node: 'node-1' },
      destination: { pod: 'maindb-5f7c-a', node: 'node-1' },
    });
  });

  it('tells who does not answer', async () => {
    const backend = await start({ hubble: [{ address: '127.0.0.1:1' }] });
    await vi.waitFor(
      () =>
        expect(backend.relay.nodes()).toMatchObject([
          { name: '127.0.0.1:1', state: NodeState.UNAVAILABLE, message: expect.stringContaining('ECONNREFUSED') },
        ]),
      soon,
    );
  });

  it('lets go of the policies that no flow refers to any more', async () => {
    const hubble = new FakeHubble();
    await hubble.start();
    cleanups.push(() => hubble.stop());
    const backend = await start({ hubble: [{ address: hubble.address }], window: 16 });
    const { window } = backend.relay;
    const policy = (index: number) => ({ kind: 'NetworkPolicy', namespace: 'shop', name: `policy-${index}` });
    const flows = Array.from({ length: 100 }, (_, index) => ({
      verdict: 1 as const,
      ingressAllowedBy: [policy(index)],
    }));
    hubble.tell(...flows);
    await vi.waitFor(() => expect(window.end).toBe(100), soon);
    expect(window.decisions.size).toBeGreaterThan(16);
    await hubble.stop();
    // Those of the rows that are held, and the entry for none.
    await vi.waitFor(() => expect(window.decisions.size).toBe(17), soon);
    const held = Array.from({ length: 16 }, (_, index) => {
      const slot = window.slot(window.start + index);
      return window.decisions.get(window.columns.policy[slot]).allowedBy[0].name;
    });
    expect(held.sort()).toEqual(Array.from({ length: 16 }, (_, index) => `policy-${84 + index}`));
  });

  it('forgets nodes that the relay no longer knows', async () => {
    const hubble = new FakeHubble();
    hubble.nodes = ['kind/worker', 'kind/worker-2'];
    await hubble.start();
    cleanups.push(() => hubble.stop());
    const backend = await start({ hubble: [{ address: hubble.address }] });
    const names = () => backend.relay.nodes().map(({ name }) => name);
    hubble.tell({ verdict: 1 });
    await vi.waitFor(() => expect(names()).toEqual(['worker', 'worker-2']), soon);
    hubble.nodes = ['kind/worker'];
    await vi.waitFor(() => expect(names()).toEqual(['worker']), soon);
    expect(backend.relay.observes('kind', 'worker-2')).toBe(false);
    expect(backend.relay.observes('kind', 'worker')).toBe(true);
  });
});
