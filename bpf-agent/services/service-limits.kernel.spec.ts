import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ObjectStore } from '#runtime/cluster/object-store.ts';
import { readObject } from '#runtime/cluster/read-object.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import { ServiceStory } from './service-story.ts';
import { ServiceSync } from './service-sync.ts';

/** Room for eight of each: frontends, slots, backends. */
const ROOM = 8;

let story: ServiceStory;
let store: ObjectStore;
let sync: ServiceSync;

beforeAll(async () => {
  buildBpf();
  story = new ServiceStory({ serviceEntries: ROOM });
  await story.run(`await serve('a', 8080, '127.0.0.1')`);
});

afterAll(() => story?.end());
afterEach(() => {
  sync.stop();
  start(new ObjectStore());
  sync.stop();
});

function start(source: ObjectStore): void {
  const maps = story.datapath.maps.services;
  sync = new ServiceSync({ source: source as unknown as ClusterSource, maps, node: 'n1', onGone: () => {} });
}

const address = (index: number): string => `10.96.7.${index}`;

function service(index: number, spec: object = {}): void {
  const metadata = { name: `s${index}`, namespace: 'shop' };
  const all = { clusterIP: address(index), ports: [{ port: 80 }], ...spec };
  store.set(readObject('Service', { kind: 'Service', metadata, spec: all }));
}

function slice(index: number, addresses: readonly unknown[], more: object = {}): void {
  store.set(
    readObject('EndpointSlice', {
      kind: 'EndpointSlice',
      metadata: {
        name: `s${index}-1`,
        namespace: 'shop',
        labels: { 'kubernetes.io/service-name': `s${index}` },
      },
      addressType: 'IPv4',
      ports: [{ name: '', protocol: 'TCP', port: 8080 }],
      endpoints: addresses.map((each) => ({ addresses: [each] })),
      ...more,
    }),
  );
}

const ask = (index: number) => story.run<{ said?: string; error?: string }>(`return ask(80, '${address(index)}')`);
const turn = () => new Promise((resolve) => setImmediate(resolve));
const sizes = () => {
  const { services, slots, backends } = story.datapath.maps.services;
  return [services.size, slots.size, backends.size];
};

describe('when there is no room for all Services', () => {
  it('those that are in stay, the others are told, and come in as soon as there is room', async () => {
    store = new ObjectStore();
    start(store);
    for (let index = 1; index <= ROOM; index++) {
      service(index);
      slice(index, ['127.0.0.1']);
    }
    await turn();
    expect(sizes()).toEqual([ROOM, ROOM, ROOM]);
    expect(sync.problems).toEqual([]);

    service(20);
    slice(20, ['127.0.0.1']);
    service(21);
    await turn();
    expect(sizes()).toEqual([ROOM, ROOM, ROOM]);
    expect(sync.problems).toHaveLength(2);
    expect(sync.problems[0]).toMatch(/^Service shop\/s20: the eBPF map "service_backends" is full/);
    for (let index = 1; index <= ROOM; index++) expect(await ask(index)).toMatchObject({ said: 'a' });

    store.delete('Service', 'shop', 's1');
    store.delete('EndpointSlice', 'shop', 's1-1');
    store.delete('Service', 'shop', 's2');
    await vi.waitFor(() => expect(sync.problems).toEqual([]), { timeout: 10_000 });
    expect(await ask(20)).toMatchObject({ said: 'a' });
    expect(await ask(21)).toEqual({ error: 'ECONNREFUSED' });
  });

  it('a change that finds none leaves the Service as it was, and nothing behind', async () => {
    store = new ObjectStore();
    start(store);
    service(1);
    slice(1, ['127.0.0.1']);
    await turn();
    const before = sizes();
    const many = Array.from({ length: ROOM + 4 }, (_, index) => `127.0.0.${index + 1}`);
    for (let round = 0; round < 3; round++) {
      slice(1, round % 2 === 0 ? many : many.slice(1));
      await turn();
      expect(sync.problems).toHaveLength(1);
      expect(sizes()).toEqual(before);
      for (let i = 0; i < 10; i++) expect(await ask(1)).toMatchObject({ said: 'a' });
    }
    slice(1, ['127.0.0.1']);
    await turn();
    expect(sync.problems).toEqual([]);
  });

  it('an agent that starts with too many takes as many as there is room for', async () => {
    store = new ObjectStore();
    for (let index = 1; index <= ROOM * 2; index++) {
      service(index);
      slice(index, ['127.0.0.1']);
    }
    start(store);
    expect(sizes()).toEqual([ROOM, ROOM, ROOM]);
    expect(sync.problems).toHaveLength(ROOM);
    const answers = await Promise.all(Array.from({ length: ROOM }, (_, index) => ask(index + 1)));
    expect(answers.every(({ said }) => said === 'a')).toBe(true);
  });
});

describe('a Service that makes no sense', () => {
  it.each<[string, object]>([
    ['addresses that are none', { clusterIP: 'nonsense', clusterIPs: ['999.1.1.1', '', 'None'] }],
    ['a protocol nobody balances', { ports: [{ port: 80, protocol: 'SCTP' }] }],
    ['no ports', { ports: [] }],
    ['nothing but its name', { clusterIP: undefined, ports: undefined }],
    ['its port twice', { ports: [{ port: 80 }, { port: 80, name: 'again' }] }],
    [
      'affinity without end',
      { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 2 ** 31 } } },
    ],
  ])('for %s does no harm to another', async (_, spec) => {
    store = new ObjectStore();
    start(store);
    service(1);
    slice(1, ['127.0.0.1']);
    service(2, spec);
    slice(2, ['127.0.0.1']);
    await turn();
    expect(await ask(1)).toMatchObject({ said: 'a' });
  });

  it.each<[string, object]>([
    ['a port beyond all ports', { ports: [{ port: 70_000 }] }],
    ['a negative port', { ports: [{ port: -1 }] }],
    ['ports that are no list', { ports: 'eighty' }],
  ])('for %s is not read, so the last that made sense stays', async (_, spec) => {
    store = new ObjectStore();
    start(store);
    service(1);
    slice(1, ['127.0.0.1']);
    expect(() => service(1, spec)).toThrow(/^spec\.ports/);
    await turn();
    expect(await ask(1)).toMatchObject({ said: 'a' });
  });

  it.each<[string, readonly string[], object, boolean]>([
    ['addresses that are none', ['999.1.1.1', '', 'x'], {}, true],
    ['IPv6 addresses in a slice of IPv4', ['fd00::1'], {}, true],
    ['names for addresses', ['example.org'], { addressType: 'FQDN' }, true],
    ['no ports', ['127.0.0.1'], { ports: null }, false],
    ['a port of another name', ['127.0.0.1'], { ports: [{ name: 'other', port: 8080 }] }, false],
  ])('for %s among its endpoints keeps to those that make sense', async (_, addresses, more, mends) => {
    store = new ObjectStore();
    start(store);
    service(1);
    slice(1, addresses, more);
    await turn();
    expect(await ask(1)).toEqual({ error: 'ECONNREFUSED' });
    slice(1, [...addresses, '127.0.0.1'], mends ? {} : more);
    await turn();
    expect(await ask(1)).toEqual(mends ? { said: 'a', peer: '10.96.7.1 80' } : { error: 'ECONNREFUSED' });
  });
});
