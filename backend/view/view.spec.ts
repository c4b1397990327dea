import { setTimeout as sleep } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Cursor, FlowService, NodeState } from '#proto/gen/waggle/v1/flow_pb.ts';
import { ViewService, type WatchRequest, WatchRequestSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { Code } from '#runtime/grpc/service.ts';
import { InProcessAgent } from '#runtime/testing/in-process-agent.ts';
import { DB, pod, TO_ENDPOINT, WORLD } from '#runtime/testing/sample-flows.ts';
import { type Backend, type BackendOptions, startBackend } from '../start.ts';
import { ViewReader } from '../testing/view-reader.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function backendWith(agents: InProcessAgent[], options: BackendOptions = {}): Promise<Backend> {
  const backend = await startBackend({
    listen: '127.0.0.1:0',
    relayListen: '127.0.0.1:0',
    agents,
    backoff: { firstMs: 20, mostMs: 100 },
    log: pino({ level: 'error' }),
    ...options,
  });
  closing.push(() => backend.close());
  return backend;
}

async function agent(name = 'node-1'): Promise<InProcessAgent> {
  const made = new InProcessAgent(name);
  await made.start();
  closing.push(() => made.stop());
  return made;
}

type Request = Partial<Omit<WatchRequest, '$typeName' | '$unknown'>>;

/** Opens a view over gRPC and reads it until it is closed. */
function watch(backend: Backend, request: Request, pace?: () => Promise<unknown>) {
  const reader = new ViewReader();
  const client = createClient(ViewService, backend.relayAddress);
  const ended = new AbortController();
  let failure: unknown;
  const done = (async () => {
    try {
      for await (const update of client.watch(create(WatchRequestSchema, request), { signal: ended.signal })) {
        reader.take(update);
        await pace?.();
      }
    } catch (error) {
      if (!ended.signal.aborted) failure = error;
    }
  })();
  const close = async () => {
    ended.abort();
    await done;
    client.close();
  };
  closing.push(close);
  return { reader, done, close, failure: () => failure };
}

/** So that the buffers on the way hold few of them. */
function incompressible() {
  const any = () => Math.floor(Math.random() * 0xffff_ffff);
  return { bytesOriginal: any(), bytesReply: any(), packetsOriginal: any(), packetsReply: any(), rttMicros: any() };
}

const eventually = (check: () => void, timeout = 30_000) => vi.waitFor(check, { timeout, interval: 10 });
const numbered = (node: string, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `${node}#${from + index}`);

describe('a view', () => {
  it('counts what its negated tokens hide, each flow once', async () => {
    const one = await agent();
    const backend = await backendWith([one]);
    one.observe({}, { destinationPort: 53 }, { destinationPort: 53, destination: WORLD }, { destination: WORLD });
    await eventually(() => expect(backend.relay.window.end).toBe(4));
    const filter = ['from:ns=shop', '!port=53', '!identity=world'];
    const { reader } = watch(backend, { filter, flows: true, map: true, last: 10 });
    await eventually(() => expect(reader.hidden).toEqual({ '!port=53': 2, '!identity=world': 1 }));
    one.observe({ destinationPort: 53 }, { source: DB, destinationPort: 53 }, {});
    await eventually(() => expect(reader.hidden).toEqual({ '!port=53': 3, '!identity=world': 1 }));
    await eventually(() => expect(reader.flows).toEqual(['node-1#1', 'node-1#7']));
    expect(reader.arrows).toEqual(['web → maindb:3306']);
  });

  it('is a snapshot of the map, then changes; and past flows, then those that come', async () => {
    const one = await agent();
    const backend = await backendWith([one]);
    one.observe({}, { ...TO_ENDPOINT });
    await eventually(() => expect(backend.relay.window.end).toBe(2));
    const { reader } = watch(backend, { map: true, flows: true, last: 1 });
    await eventually(() => expect(reader.arrows).toEqual(['web → maindb:3306']));
    expect(reader.flows).toEqual(['node-1#2']);
    one.observe({ destination: WORLD, destinationPort: 443 });
    await eventually(() => expect(reader.arrows).toEqual(['web → maindb:3306', 'web → world:443']));
    await eventually(() => expect(reader.flows).toEqual(['node-1#2', 'node-1#3']));
    one.observe({ destination: WORLD, destinationPort: 443 });
    await eventually(() => expect(reader.statsOf('web → world:443')?.connections).toBe(2n));
    expect(reader.snapshots).toBe(1);
  });

  it('shows only what its namespaces and filters let through', async () => {
    const one = await agent();
    const backend = await backendWith([one]);
    const stars = watch(backend, { map: true, flows: true, namespaces: ['stars'] });
    const dropped = watch(backend, { map: true, flows: true, filter: ['verdict=dropped', 'to:port=3306'] });
    const all = watch(backend, { map: true, flows: true });
    await eventually(() => expect([stars, dropped, all].every(({ reader }) => reader.snapshots === 1)).toBe(true));
    one.observe({}, { source: pod('stars', 'client', 'node-1', '10.0.1.9') }, { verdict: 2, dropReason: 133 });
    one.observe({ verdict: 2, dropReason: 133, destinationPort: 80 });
    await eventually(() => expect(all.reader.flows).toEqual(numbered('node-1', 1, 4)));
    await eventually(() => expect(stars.reader.flows).toEqual(['node-1#2']));
    await eventually(() => expect(dropped.reader.flows).toEqual(['node-1#3']));
    await eventually(() => expect(stars.reader.arrows).toEqual(['client → maindb:3306']));
    await eventually(() =>
      expect(dropped.reader.statsOf('web → maindb:3306')).toMatchObject({ dropped: 1, forwarded: 0 }),
    );
    // A dictionary tells nothing a viewer may not see.
    expect(stars.reader.window.endpoints.size).toBe(3);
  });

  it('refuses what it does not understand, naming the place', async () => {
    const backend = await backendWith([]);
    const bad = watch(backend, { filter: ['port=80', 'pod=a,b c'] });
    await bad.done;
    expect(bad.failure()).toMatchObject({
      code: Code.INVALID_ARGUMENT,
      message: expect.stringMatching(/^filter 2, characters 7 to 9: "b c" cannot be a pod name/),
    });
    const worse = watch(backend, { namespaces: ['../etc'] });
    await worse.done;
    expect(worse.failure()).toMatchObject({ code: Code.INVALID_ARGUMENT });
  });

  it('resumes by its cursor without gap or repeat, also at a restarted backend', async () => {
    const [one, two] = [await agent('node-1'), await agent('node-2')];
    let backend = await backendWith([one, two]);
    await eventually(() => expect(backend.relay.observes('test', 'node-2')).toBe(true));
    const seen: string[] = [];
    let cursor: Cursor | undefined;
    for (let round = 0; round < 6; round++) {
      // Restart the backend in the middle: its window is then filled from the agents' rings.
      if (round === 3) {
        await backend.close();
        backend = await backendWith([one, two]);
        await eventually(() => expect(backend.relay.window.end).toBe(150));
      }
      const view = watch(backend, { flows: true, cursor, last: 1000 });
      for (let index = 0; index < 20; index++) {
        one.observe({});
        two.observe({ source: DB, destination: WORLD });
        if (index % 5 === 0) await sleep(5);
      }
      await eventually(() => expect(view.reader.flows.length).toBeGreaterThan(5));
      await view.close();
      seen.push(...view.reader.flows);
      cursor = view.reader.cursor;
      // These come while nobody looks.
      for (let index = 0; index < 5; index++) {
        one.observe({});
        two.observe({});
      }
      const expected = (round + 1) * 50;
      await eventually(() => expect(backend.relay.rate.total).toBe(expected));
      expect(view.reader.lost).toBe(0n);
    }
    const rest = watch(backend, { flows: true, cursor });
    await eventually(() => expect(seen.length + rest.reader.flows.length).toBe(300));
    seen.push(...rest.reader.flows);
    expect(seen.filter((flow) => flow.startsWith('node-1'))).toEqual(numbered('node-1', 1, 150));
    expect(seen.filter((flow) => flow.startsWith('node-2'))).toEqual(numbered('node-2', 1, 150));
  });

  it('resumes at a backend that has yet to learn what its reader knows', async () => {
    const one = await agent();
    const old = await backendWith([one]);
    one.observe(...Array.from({ length: 50 }, () => ({})));
    const before = watch(old, { flows: true, last: 100 });
    await eventually(() => expect(before.reader.flows).toEqual(numbered('node-1', 1, 50)));
    await before.close();
    await old.close();
    one.observe({});

    const backend = await backendWith([]);
    const early = watch(backend, { flows: true, cursor: before.reader.cursor });
    await eventually(() => expect(early.reader.cursor).toBeDefined());
    await early.close();
    const after = watch(backend, { flows: true, cursor: early.reader.cursor });
    await eventually(() => expect(after.reader.cursor).toBeDefined());
    backend.relay.follow([one]);
    await eventually(() => expect(after.reader.flows).toEqual(['node-1#51']));
    expect(after.reader.lost).toBe(0n);
  });

  it('resumes into an agent’s next life', async () => {
    const one = await agent();
    const backend = await backendWith([one]);
    one.observe({}, {});
    const before = watch(backend, { flows: true, last: 10 });
    await eventually(() => expect(before.reader.flows).toEqual(numbered('node-1', 1, 2)));
    await before.close();
    await one.stop();
    one.reboot();
    one.observe({}, {}, {});
    await one.start();
    await eventually(() => expect(backend.relay.window.end).toBe(5));
    const after = watch(backend, { flows: true, cursor: before.reader.cursor });
    await eventually(() => expect(after.reader.flows).toEqual(numbered('node-1', 1, 3)));
    const again = watch(backend, { flows: true, cursor: after.reader.cursor });
    one.observe({});
    await eventually(() => expect(again.reader.flows).toEqual(['node-1#4']));
  });

  it('tells a viewer that comes back too late what it missed', async () => {
    const one = await agent();
    const backend = await backendWith([one], { window: 100 });
    one.observe({});
    const before = watch(backend, { flows: true, last: 10 });
    await eventually(() => expect(before.reader.flows).toEqual(['node-1#1']));
    await before.close();
    for (let index = 0; index < 150; index++) one.observe({});
    await eventually(() => expect(backend.relay.window.end).toBe(151));
    const after = watch(backend, { flows: true, cursor: before.reader.cursor });
    await eventually(() => expect(after.reader.flows).toEqual(numbered('node-1', 52, 151)));
    expect(after.reader.lost).toBe(50n);
  });

  it('ends by age and size, to be resumed', async () => {
    const one = await agent();
    const backend = await backendWith([one], { rotation: { bytes: 20_000, ageMs: 60_000 } });
    const seen: string[] = [];
    let cursor: Cursor | undefined;
    let rotations = 0;
    const ticking = setInterval(() => one.observe(...Array.from({ length: 20 }, () => ({}))), 5);
    closing.push(() => clearInterval(ticking));
    while (rotations < 3) {
      const view = watch(backend, { flows: true, map: true, cursor });
      await view.done;
      expect(view.failure()).toBeUndefined();
      expect(view.reader.rotated).toBe(true);
      seen.push(...view.reader.flows);
      cursor = view.reader.cursor;
      rotations++;
    }
    const first = Number(seen[0].split('#')[1]);
    expect(seen).toEqual(numbered('node-1', first, first + seen.length - 1));
  });

  it('that is slow loses what it cannot take, is told how much, and costs the others nothing', async () => {
    const one = await agent();
    const backend = await backendWith([one]);
    let slow = true;
    const blocked = watch(backend, { flows: true, map: true }, async () => {
      while (slow) await sleep(10);
    });
    const quick = watch(backend, { flows: true });
    await eventually(() => expect(quick.reader.cursor).toBeDefined());
    await eventually(() => expect(blocked.reader.cursor).toBeDefined());
    const before = quick.reader.flows.length;
    const total = 90_000;
    for (let sent = 0; sent < total; sent += 1000) {
      one.observe(...Array.from({ length: 1000 }, incompressible));
      await eventually(() => expect(quick.reader.window.end - before).toBe(sent + 1000));
    }
    expect(quick.reader.lost).toBe(0n);
    slow = false;
    await eventually(() => expect(BigInt(blocked.reader.window.end) + blocked.reader.lost).toBe(BigInt(total)), 30_000);
    expect(blocked.reader.lost).toBeGreaterThan(0n);
    const metrics = await (await fetch(`${backend.url}/metrics`)).text();
    expect(metrics).toContain(`waggle_view_missed_flows_total ${blocked.reader.lost}`);
  }, 60_000);

  it('serves 200 viewers of 20 selections', async () => {
    const one = await agent();
    const backend = await backendWith([one]);
    const views = Array.from({ length: 200 }, (_, index) =>
      watch(backend, { flows: true, map: true, filter: index % 20 === 0 ? [] : [`to:port=${3300 + (index % 20)}`] }),
    );
    await eventually(() => expect(views.every(({ reader }) => reader.snapshots === 1)).toBe(true), 30_000);
    for (let round = 0; round < 50; round++) {
      one.observe(...Array.from({ length: 20 }, (_, index) => ({ destinationPort: 3300 + index })));
      await sleep(5);
    }
    await eventually(() => {
      for (const [index, { reader }] of views.entries()) expect(reader.window.end).toBe(index % 20 === 0 ? 1000 : 50);
    }, 30_000);
    const metrics = await (await fetch(`${backend.url}/metrics`)).text();
    expect(metrics).toContain('waggle_view_selections 20');
    expect(views.every(({ reader }) => reader.lost === 0n)).toBe(true);
  }, 90_000);

  it('tells the nodes’ state and the namespaces flows named', async () => {
    const one = await agent();
    const backend = await backendWith([one, { name: 'node-9', address: '127.0.0.1:1' } as InProcessAgent]);
    one.observe({}, { destination: WORLD });
    const client = createClient(ViewService, backend.relayAddress);
    closing.push(() => client.close());
    await vi.waitFor(async () => {
      const { nodes, flowsSeen } = await client.status({});
      expect(nodes.map(({ state }) => state)).toEqual([NodeState.CONNECTED, NodeState.UNAVAILABLE]);
      expect(flowsSeen).toBe(2n);
    }, 15_000);
    await vi.waitFor(async () => {
      const { namespaces } = await client.listNamespaces({});
      expect(namespaces.map(({ name }) => name)).toEqual(['data', 'shop']);
    }, 15_000);
  });
});

describe('the relay’s flow service', () => {
  it('gives the last matching flows and ends, or goes on', async () => {
    const [one, two] = [await agent('node-1'), await agent('node-2')];
    const backend = await backendWith([one, two]);
    for (let index = 0; index < 10; index++) {
      one.observe({});
      two.observe({ source: DB, destination: WORLD, protocol: 17 });
    }
    await eventually(() => expect(backend.relay.window.end).toBe(20));
    const client = createClient(FlowService, backend.relayAddress);
    closing.push(() => client.close());
    const past = new ViewReader();
    for await (const batch of client.follow({ last: 3, filter: ['proto=udp'] })) past.takeBatch(batch);
    expect(past.flows).toEqual(['node-2#8', 'node-2#9', 'node-2#10']);
    const live = new ViewReader();
    for await (const batch of client.follow({ last: 2, filter: ['proto=tcp'], follow: true })) {
      live.takeBatch(batch);
      if (live.flows.length === 2) one.observe({});
      if (live.flows.length >= 3) break;
    }
    expect(live.flows).toEqual(numbered('node-1', 9, 11));
  });
});
