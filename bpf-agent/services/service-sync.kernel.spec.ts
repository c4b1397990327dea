import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ObjectStore } from '#runtime/cluster/object-store.ts';
import { readObject } from '#runtime/cluster/read-object.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import { unmountBpffs } from '../loader/bpffs.ts';
import { openDatapath } from '../loader/datapath.ts';
import { ServiceStory, storyFrontend } from './service-story.ts';
import { ServiceSync } from './service-sync.ts';
import { ServiceTable } from './service-table.ts';
import { StaleDatagrams } from './stale-datagrams.ts';

let story: ServiceStory;
let store: ObjectStore;
let sync: ServiceSync;
let stale: StaleDatagrams;
const SOON = { timeout: 30_000, interval: 20 };

beforeAll(async () => {
  buildBpf();
  story = new ServiceStory();
  await story.run(`await serve('a', 8080, '127.0.0.1'); await serve('b', 8080, '127.0.0.2')`);
});

afterAll(() => story?.end());
afterEach(() => {
  sync.stop();
  new ServiceSync({ ...options(), source: new ObjectStore() as unknown as ClusterSource }).stop();
});

const options = () => ({
  source: store as unknown as ClusterSource,
  maps: story.datapath.maps.services,
  node: 'n1',
  onGone: (ids: readonly number[]) => stale.gone(ids),
});

function start(): void {
  stale = new StaleDatagrams(story.datapath.maps.services);
  sync = new ServiceSync(options());
}

function service(name: string, spec: object): void {
  store.set(readObject('Service', { kind: 'Service', metadata: { name, namespace: 'shop' }, spec }));
}

function slice(name: string, addresses: readonly string[], protocol = 'TCP'): void {
  store.set(
    readObject('EndpointSlice', {
      kind: 'EndpointSlice',
      metadata: { name: `${name}-1`, namespace: 'shop', labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: '', protocol, port: 8080 }],
      endpoints: addresses.map((address) => ({ addresses: [address] })),
    }),
  );
}

const ask = (host: string) => story.run<{ said?: string; error?: string }>(`return ask(80, '${host}')`);
/** Changes are made at the end of the turn in which they are told. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('the node’s Services', () => {
  it('stand as an earlier agent left them until the state can be read', async () => {
    store = new ObjectStore();
    start();
    service('web', { clusterIP: '10.96.1.1', ports: [{ port: 80 }] });
    slice('web', ['127.0.0.1']);
    service('old', { clusterIP: '10.96.1.2', ports: [{ port: 80 }] });
    slice('old', ['127.0.0.2']);
    await turn();
    sync.stop();

    const known = store;
    const late = Object.assign(new ObjectStore(), { unread: true });
    store = late;
    start();
    expect(story.datapath.maps.services.services.size).toBe(2);
    expect(await ask('10.96.1.1')).toMatchObject({ said: 'a' });
    // Objects come one by one: a Service whose slices are not there yet has no backends only in appearance.
    late.set(known.get('Service', 'shop', 'web')!);
    await turn();
    expect(await ask('10.96.1.1')).toMatchObject({ said: 'a' });
    late.set(known.get('EndpointSlice', 'shop', 'web-1')!);
    late.unread = false;
    sync.settle();
    expect(await ask('10.96.1.1')).toMatchObject({ said: 'a' });
    // What was left and is in no state goes once there is one.
    expect(story.datapath.maps.services.services.size).toBe(1);
  });

  it('follow what Services and EndpointSlices say, within the turn', async () => {
    store = new ObjectStore();
    start();
    service('web', { clusterIP: '10.96.1.1', ports: [{ port: 80 }] });
    await turn();
    expect(await ask('10.96.1.1')).toEqual({ error: 'ECONNREFUSED' });
    slice('web', ['127.0.0.1']);
    await turn();
    expect(await ask('10.96.1.1')).toMatchObject({ said: 'a' });
    slice('web', ['127.0.0.2']);
    await turn();
    expect(await ask('10.96.1.1')).toMatchObject({ said: 'b' });
    store.delete('Service', 'shop', 'web');
    await turn();
    const { services, slots, backends } = story.datapath.maps.services;
    expect([services.size, slots.size, backends.size]).toEqual([0, 0, 0]);
  });

  it('are taken over from an agent that is gone, with their numbers', async () => {
    store = new ObjectStore();
    start();
    for (const name of ['web', 'db']) {
      service(name, { clusterIP: name === 'web' ? '10.96.1.2' : '10.96.1.3', ports: [{ port: 80 }] });
      slice(name, ['127.0.0.1', '127.0.0.2']);
    }
    await turn();
    const { services, slots, backends } = story.datapath.maps.services;
    const held = () =>
      JSON.stringify([[...services], [...slots], [...backends]].map((each) => each.map(String).sort()));
    const ids = () => [...sync.placed()].map(({ id, frontend }) => `${frontend.service} ${id}`).sort();
    const [before, numbers] = [held(), ids()];
    sync.stop();
    // Away, it misses that one is gone.
    start();
    expect(held()).toBe(before);
    expect(ids()).toEqual(numbers);
    sync.stop();
    store.delete('Service', 'shop', 'db');
    start();
    expect([services.size, backends.size]).toEqual([1, 2]);
    expect(await ask('10.96.1.2')).toHaveProperty('said');
  });

  it('give an address to the first of two that claim it, say so, and to the other when it is free', async () => {
    store = new ObjectStore();
    start();
    for (const [name, backend] of [
      ['first', '127.0.0.1'],
      ['second', '127.0.0.2'],
    ] as const) {
      service(name, { clusterIP: '10.96.1.4', ports: [{ port: 80 }] });
      slice(name, [backend]);
    }
    await turn();
    expect(await ask('10.96.1.4')).toMatchObject({ said: 'a' });
    expect(sync.problems).toEqual(['Service shop/second: 10.96.1.4:80/TCP belongs to Service shop/first already']);
    store.delete('Service', 'shop', 'first');
    await turn();
    await turn();
    expect(await ask('10.96.1.4')).toMatchObject({ said: 'b' });
    expect(sync.problems).toEqual([]);
  });

  it('keep the ranges of Services’ addresses', async () => {
    store = new ObjectStore();
    start();
    const range = (...cidrs: string[]) =>
      store.set(readObject('ServiceCIDR', { kind: 'ServiceCIDR', metadata: { name: 'k' }, spec: { cidrs } }));
    range('10.96.0.0/12', 'fd96::/108', 'nonsense');
    expect(story.datapath.maps.services.ranges.size).toBe(2);
    range('10.96.0.0/12');
    expect(story.datapath.maps.services.ranges.size).toBe(1);
    store.delete('ServiceCIDR', '', 'k');
    expect(story.datapath.maps.services.ranges.size).toBe(0);
  });
});

describe('a connected datagram socket whose backend goes', () => {
  it('is with another, keeps its port, and waits for one when there is none', async () => {
    store = new ObjectStore();
    start();
    service('dns', { clusterIP: '10.96.1.5', ports: [{ port: 53, protocol: 'UDP' }] });
    slice('dns', ['127.0.0.1'], 'UDP');
    await turn();
    const said = await story.run(`kept.dns = dgram.createSocket('udp4');
      await new Promise((resolve) => kept.dns.connect(53, '10.96.1.5', resolve));
      kept.port = kept.dns.address().port;
      return (await exchange(kept.dns, 'x')).said`);
    expect(said).toBe('a x');
    slice('dns', ['127.0.0.2'], 'UDP');
    await turn();
    const again = `return [(await exchange(kept.dns, 'x')).said, kept.dns.address().port === kept.port]`;
    expect(await story.run(again)).toEqual(['b x', true]);
    slice('dns', [], 'UDP');
    await turn();
    slice('dns', ['127.0.0.1'], 'UDP');
    await turn();
    await vi.waitFor(async () => {
      stale.settle();
      expect(await story.run(again)).toEqual(['a x', true]);
    }, SOON);
    await story.run('kept.dns.close()');
  });
});

/** Connects without pause until told to stop; then tells how many got through, and what else was said. */
const LOAD = `kept.load = { ok: 0, others: [] };
  kept.stop = false;
  kept.running = (async () => {
    while (!kept.stop) {
      const { said, error } = await ask(80, kept.host);
      if (said === 'a' || said === 'b') kept.load.ok++;
      else kept.load.others.push(error ?? said);
    }
  })();`;
const END = 'kept.stop = true; await kept.running; return kept.load';

describe('under load', () => {
  it('a hundred changes of endpoints a second reset nobody who is with, or comes to, a healthy backend', async () => {
    store = new ObjectStore();
    start();
    service('web', { clusterIP: '10.96.1.6', ports: [{ port: 80 }] });
    slice('web', ['127.0.0.1', '127.0.0.2']);
    await turn();
    // One that stays: a connection that echoes, opened before all changes.
    await story.run(`kept.host = '10.96.1.6';
      const server = net.createServer((socket) => socket.on('error', () => {}).pipe(socket));
      await new Promise((resolve) => server.listen(8081, '127.0.0.1', resolve));
      ${LOAD}`);
    service('echo', { clusterIP: '10.96.1.7', ports: [{ port: 80 }] });
    const echo = (...more: string[]) =>
      store.set(
        readObject('EndpointSlice', {
          kind: 'EndpointSlice',
          metadata: { name: 'echo-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'echo' } },
          addressType: 'IPv4',
          ports: [{ name: '', protocol: 'TCP', port: 8081 }],
          endpoints: ['127.0.0.1', ...more].map((address) => ({ addresses: [address] })),
        }),
      );
    echo();
    await turn();
    await story.run(`kept.echo = net.connect(80, '10.96.1.7'); kept.heard = ''; kept.echoError = '';
      kept.echo.on('data', (data) => (kept.heard += data)).on('error', (error) => (kept.echoError = error.code));
      await new Promise((resolve) => kept.echo.on('connect', resolve))`);
    let changes = 0;
    for (const end = Date.now() + 2_000; Date.now() < end || changes < 150; changes += 2) {
      slice('web', changes % 4 === 0 ? ['127.0.0.1'] : ['127.0.0.2', '127.0.0.1']);
      echo(...(changes % 4 === 0 ? [] : ['127.0.0.9']));
      await story.run(`kept.echo.write('x')`);
      await new Promise((resolve) => setTimeout(resolve, 8));
    }
    const { ok, others } = await story.run<{ ok: number; others: string[] }>(END);
    expect(others).toEqual([]);
    expect(ok).toBeGreaterThan(100);
    await vi.waitFor(
      async () => expect(await story.run('return [kept.heard.length, kept.echoError]')).toEqual([changes / 2, '']),
      SOON,
    );
    await story.run('kept.echo.destroy()');
  });

  it('an agent that ends and one that takes over let every connection through', async () => {
    const pins = mkdtempSync(join(tmpdir(), 'waggle-services-'));
    const other = new ServiceStory({ pinDirectory: join(pins, 'bpf') });
    try {
      await other.run(`await serve('a', 8080, '127.0.0.1'); kept.host = '10.96.2.1'`);
      other.serve('10.96.2.1:80', ['127.0.0.1:8080']);
      await other.run(LOAD);
      const goesOn = async () => {
        const through = () => other.run<number>('return kept.load.ok + kept.load.others.length');
        const before = await through();
        await vi.waitFor(async () => expect(await through()).toBeGreaterThan(before + 20), SOON);
      };
      await goesOn();
      other.closeDatapath();
      await goesOn();
      const next = openDatapath({ connections: 4096, ringBytes: 1 << 20, pinDirectory: join(pins, 'bpf') });
      next.attachServices(other.cgroup);
      const table = new ServiceTable(next.maps.services);
      expect(table.size).toBe(2);
      await goesOn();
      table.set(storyFrontend('10.96.2.1:80', ['127.0.0.1:8080']));
      await goesOn();
      const { ok, others } = await other.run<{ ok: number; others: string[] }>(END);
      expect(others).toEqual([]);
      expect(ok).toBeGreaterThan(50);
      next.close();
    } finally {
      await other.end();
      unmountBpffs(join(pins, 'bpf'));
      rmSync(pins, { recursive: true, force: true });
    }
  });
});
