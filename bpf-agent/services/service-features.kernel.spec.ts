import { spawn } from 'node:child_process';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ObjectStore } from '#runtime/cluster/object-store.ts';
import { readObject } from '#runtime/cluster/read-object.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import { ServiceStory, storyFrontend } from './service-story.ts';
import { ServiceSync } from './service-sync.ts';

// What Services can ask for, from their objects to real sockets: three servers, a on this node, b and c on another.

let story: ServiceStory;
let store: ObjectStore;
let sync: ServiceSync;

beforeAll(async () => {
  buildBpf();
  story = new ServiceStory();
  await story.run(`await serve('a', 8080, '127.0.0.1'); await serve('b', 8080, '127.0.0.2'); await serve('c', 9090, '127.0.0.3');
    await serve('a6', 8080, 'fd00:5::1')`);
});

afterAll(() => story?.end());

beforeEach(() => {
  store = new ObjectStore();
  const labels = { 'topology.kubernetes.io/zone': 'east' };
  store.set(readObject('Node', { kind: 'Node', metadata: { name: 'n1', labels }, spec: {}, status: {} }));
  const maps = story.datapath.maps.services;
  sync = new ServiceSync({ source: store as unknown as ClusterSource, maps, node: 'n1', onGone: () => {} });
});

afterEach(async () => {
  for (const { metadata } of store.list('Service')) store.delete('Service', metadata.namespace, metadata.name);
  await turn();
  sync.stop();
});

function service(spec: object, name = 'web', annotations: Record<string, string> = {}): void {
  const metadata = { name, namespace: 'shop', annotations };
  const all = { clusterIP: '10.96.8.1', ports: [{ port: 80 }], ...spec };
  store.set(readObject('Service', { kind: 'Service', metadata, spec: all }));
}

const A = { addresses: ['127.0.0.1'], nodeName: 'n1' };
const B = { addresses: ['127.0.0.2'], nodeName: 'n2' };

function slice(endpoints: readonly object[], more: object = {}, suffix = '1', name = 'web'): void {
  store.set(
    readObject('EndpointSlice', {
      kind: 'EndpointSlice',
      metadata: { name: `${name}-${suffix}`, namespace: 'shop', labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: '', protocol: 'TCP', port: 8080 }],
      endpoints,
      ...more,
    }),
  );
}

const turn = () => new Promise((resolve) => setImmediate(resolve));
const ask = (port = 80, host = '10.96.8.1') =>
  story.run<{ said?: string; peer?: string; error?: string }>(`return ask(${port}, '${host}')`);

/** Who answers, of so many connections. */
async function answers(count = 30, port = 80): Promise<string[]> {
  const said = await story.run<(string | undefined)[]>(
    `return (await Promise.all(Array.from({ length: ${count} }, () => ask(${port}, '10.96.8.1')))).map(({ said, error }) => said ?? error)`,
  );
  return [...new Set(said.map(String))].sort();
}

const zone = (...names: string[]) => ({ hints: { forZones: names.map((name) => ({ name })) } });

describe('a Service', () => {
  it('keeps to the zone that hints name, and to all where no hint names it, or one has none', async () => {
    service({});
    slice([
      { ...A, ...zone('east') },
      { ...B, ...zone('west') },
    ]);
    await turn();
    expect(await answers()).toEqual(['a']);
    slice([
      { ...A, ...zone('west') },
      { ...B, ...zone('west') },
    ]);
    await turn();
    expect(await answers()).toEqual(['a', 'b']);
    slice([{ ...A, ...zone('west') }, B]);
    await turn();
    expect(await answers()).toEqual(['a', 'b']);
  });

  it('follows its node into another zone', async () => {
    service({});
    slice([
      { ...A, ...zone('east') },
      { ...B, ...zone('west') },
    ]);
    const labels = { 'topology.kubernetes.io/zone': 'west' };
    store.set(readObject('Node', { kind: 'Node', metadata: { name: 'n1', labels }, spec: {}, status: {} }));
    await turn();
    expect(await answers()).toEqual(['b']);
  });

  it('of internalTrafficPolicy Local stays on the node, and refuses where none is', async () => {
    service({ internalTrafficPolicy: 'Local' });
    slice([A, B]);
    await turn();
    expect(await answers()).toEqual(['a']);
    slice([B]);
    await turn();
    expect(await ask()).toEqual({ error: 'ECONNREFUSED' });
    service({});
    await turn();
    expect(await answers()).toEqual(['b']);
  });

  it('sends nobody to what is not ready, unless it publishes that', async () => {
    slice([{ ...A, conditions: { ready: false, serving: false } }]);
    service({});
    await turn();
    expect(await ask()).toEqual({ error: 'ECONNREFUSED' });
    service({ publishNotReadyAddresses: true });
    await turn();
    expect(await ask()).toMatchObject({ said: 'a' });
  });

  it('with a named target port reaches each pod under its own number', async () => {
    service({ ports: [{ name: 'http', port: 80, targetPort: 'web' }] });
    slice([A], { ports: [{ name: 'http', protocol: 'TCP', port: 8080 }] });
    slice([{ addresses: ['127.0.0.3'] }], { ports: [{ name: 'http', protocol: 'TCP', port: 9090 }] }, '2');
    await turn();
    expect(await answers()).toEqual(['a', 'c']);
  });

  it('with several ports leads each to its own', async () => {
    service({
      ports: [
        { name: 'one', port: 80 },
        { name: 'two', port: 81 },
      ],
    });
    slice([A], { ports: [{ name: 'one', port: 8080 }] });
    slice([{ addresses: ['127.0.0.3'] }], { ports: [{ name: 'two', port: 9090 }] }, '2');
    await turn();
    expect([await answers(10, 80), await answers(10, 81)]).toEqual([['a'], ['c']]);
  });

  it('of both families answers under both, and to IPv4 on IPv6 sockets', async () => {
    service({ clusterIPs: ['10.96.8.1', 'fd96::8:1'] });
    slice([A]);
    slice([{ addresses: ['fd00:5::1'] }], { addressType: 'IPv6' }, '6');
    await turn();
    expect(await ask(80, '10.96.8.1')).toEqual({ said: 'a', peer: '10.96.8.1 80' });
    expect(await ask(80, 'fd96::8:1')).toEqual({ said: 'a6', peer: 'fd96::8:1 80' });
    expect(await ask(80, '::ffff:10.96.8.1')).toEqual({ said: 'a', peer: '::ffff:10.96.8.1 80' });
  });

  it.each<[string, object]>([
    ['headless', { clusterIP: 'None', clusterIPs: ['None'] }],
    ['another name', { type: 'ExternalName', externalName: 'example.org', clusterIP: '' }],
  ])('that is %s exchanges nothing: its pods are reached as themselves', async (_, spec) => {
    service(spec);
    slice([A]);
    await turn();
    expect(story.datapath.maps.services.services.size).toBe(0);
    expect(await ask(8080, '127.0.0.1')).toEqual({ said: 'a', peer: '127.0.0.1 8080' });
  });

  it('with a terminating backend keeps who is with it, sends new ones elsewhere, and back when no other is', async () => {
    await story.run(`kept.echo = net.createServer((socket) => socket.on('error', () => {}).pipe(socket));
      await new Promise((resolve) => kept.echo.listen(7070, '127.0.0.1', resolve));
      kept.say = (text) => new Promise((resolve) => { kept.client.once('data', (data) => resolve(String(data))); kept.client.write(text) })`);
    service({});
    slice([A], { ports: [{ name: '', port: 7070 }] });
    await turn();
    await story.run(`kept.client = net.connect(80, '10.96.8.1'); kept.failed = '';
      kept.client.on('error', (error) => (kept.failed = error.code));
      await new Promise((resolve) => kept.client.once('connect', resolve))`);
    const leaving = { ...A, conditions: { ready: false, serving: true, terminating: true } };
    slice([leaving], { ports: [{ name: '', port: 7070 }] });
    slice([B], {}, '2');
    await turn();
    expect(await answers()).toEqual(['b']);
    expect(await story.run(`return kept.say('still')`)).toBe('still');
    slice([leaving]);
    slice([], {}, '2');
    await turn();
    expect(await answers()).toEqual(['a']);
    // Gone altogether: whoever finishes may finish.
    slice([]);
    await turn();
    expect(await ask()).toEqual({ error: 'ECONNREFUSED' });
    expect(await story.run(`return kept.say('last')`)).toBe('last');
    await story.run('kept.client.destroy(); kept.echo.close()');
    expect(await story.run('return kept.failed')).toBe('');
  });

  it('keeps a client with its backend until it was silent for the time-out', async () => {
    service({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 2 } } });
    slice([A, B]);
    await turn();
    const [first] = await answers(20);
    expect(await answers(20)).toEqual([first]);
    const seen = new Set<string>();
    await vi.waitFor(
      async () => {
        seen.add((await ask()).said!);
        expect(seen.size).toBe(2);
      },
      { timeout: 50_000, interval: 2_100 },
    );
  });

  it('answers DNS through its address, to connected sockets and others', async () => {
    service({ ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] });
    slice([A, B], { ports: [{ name: 'dns', protocol: 'UDP', port: 8080 }] });
    await turn();
    const unconnected = await story.run(`const socket = dgram.createSocket('udp4');
      try { return await exchange(socket, 'q', 53, '10.96.8.1') } finally { socket.close() }`);
    const connected = await story.run(`const socket = dgram.createSocket('udp4');
      await new Promise((resolve) => socket.connect(53, '10.96.8.1', resolve));
      try { return await exchange(socket, 'q') } finally { socket.close() }`);
    for (const answer of [unconnected, connected]) {
      expect(answer).toEqual({ said: expect.stringMatching(/^[ab] q$/), peer: '10.96.8.1 53' });
    }
  });
});

/** Pearson's statistic of counts against shares. */
function chiSquared(counts: readonly number[], shares: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const whole = shares.reduce((sum, share) => sum + share, 0);
  return counts.reduce((sum, count, index) => {
    const expected = (total * shares[index]!) / whole;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
}

describe('connections are spread', () => {
  it('by weight', async () => {
    const weights = [1, 3, 6];
    const frontend = storyFrontend('10.96.8.9:80', ['127.0.0.1:8080', '127.0.0.2:8080', '127.0.0.3:9090']);
    const backends = frontend.backends.map((each, index) => ({ ...each, weight: weights[index]! }));
    story.table.set({ ...frontend, backends });
    const said = await story.run<string[]>(`const said = [];
      for (let i = 0; i < 8; i++) said.push(...(await Promise.all(Array.from({ length: 100 }, () => ask(80, '10.96.8.9')))).map((each) => each.said));
      return said`);
    const counts = ['a', 'b', 'c'].map((name) => said.filter((each) => each === name).length);
    expect(counts.reduce((sum, count) => sum + count)).toBe(800);
    // Two degrees of freedom: more than this once in a million runs.
    expect(chiSquared(counts, weights)).toBeLessThan(27.6);
  });

  it('by Maglev over many clients', async () => {
    const clients = 120;
    const backends = ['127.0.1.1:80', '127.0.1.2:80', '127.0.1.3:80', '127.0.1.4:80'];
    story.table.set(storyFrontend('10.96.8.10:80', backends, { protocol: 17, algorithm: 'maglev' }));
    const id = story.table.id('17/10.96.8.10/80')!;
    // A client is a network namespace: each has one, and holds a connected socket.
    const script = `echo $$ > ${story.cgroup}/cgroup.procs
      for i in $(seq ${clients}); do
        unshare -n bash -c 'ip link set lo up; ip route add default dev lo; exec 3<>/dev/udp/10.96.8.10/80; exec sleep 55' &
      done
      wait`;
    const child = spawn('bash', ['-c', script], { stdio: ['ignore', 'ignore', 'inherit'], detached: true });
    const held = () => [...story.datapath.maps.services.translations.values()].filter(({ service }) => service === id);
    try {
      await vi.waitFor(() => expect(held()).toHaveLength(clients), { timeout: 50_000, interval: 50 });
      const counts = new Map<number, number>();
      for (const { backend } of held()) counts.set(backend, (counts.get(backend) ?? 0) + 1);
      expect(counts.size).toBe(backends.length);
      // Three degrees of freedom: more than this once in a million runs.
      expect(chiSquared([...counts.values()], [1, 1, 1, 1])).toBeLessThan(30.7);
    } finally {
      process.kill(-child.pid!, 'SIGKILL');
      await new Promise((resolve) => child.once('exit', resolve));
    }
  });
});
