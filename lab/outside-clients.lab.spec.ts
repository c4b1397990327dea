import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { labLayout } from './lab-layout.ts';
import { OutsideClient } from './outside-client.ts';
import { readyPods, specLabName, traces, until } from './spec-lab.ts';
import { type Lab, startLab } from './start-lab.ts';
import type { Node, Service } from './store/objects.ts';

const NODES = ['node1', 'node2'] as const;
const EXTERNAL = { 4: '198.51.100.7', 6: '2001:db8:e::7' } as const;
const BALANCED = '203.0.113.9';
const FAMILIES = [4, 6] as const;
const PORT = { web: 30_080, near: 30_090, none: 30_095 };
/** Who is to get no answer is not waited for longer. */
const SILENT_MS = 1_500;

let lab: Lab;
let outside: OutsideClient;
/** By node and family. */
const address: Record<string, { 4: string; 6: string }> = {};
/** Of the client; the third is a second one of IPv4. */
let client: { 4: string; 6: string; other: string };

/** Tells each client its own name, and under which address it sees them. */
const SERVER = `
const name = process.env.HOSTNAME, plain = (address) => address.replace('::ffff:', '');
require('net').createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', () => socket.write(name + ' ' + plain(socket.remoteAddress) + '\\n'));
}).listen(8080, '::');
for (const type of ['udp4', 'udp6']) {
  const socket = require('dgram').createSocket({ type, ipv6Only: type === 'udp6' });
  socket.on('message', (data, from) => socket.send(name + ' ' + from.address + ' ' + data.length, from.port, from.address));
  socket.bind(8081);
}`;

const pod = (name: string, node: string, app: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', labels: { app } },
  spec: { nodeName: node, containers: [{ name: 'main', image: 'none', command: [process.execPath, '-e', SERVER] }] },
});

const service = (name: keyof typeof PORT, spec: object) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop' },
  spec: {
    type: 'NodePort',
    ipFamilyPolicy: 'PreferDualStack',
    selector: { app: name },
    ports: [
      { name: 'tcp', port: 80, targetPort: 8080, nodePort: PORT[name] },
      { name: 'udp', port: 80, targetPort: 8081, nodePort: PORT[name], protocol: 'UDP' },
    ],
    ...spec,
  },
});

const apply = (...objects: object[]) =>
  lab.apply(objects.map((object, index) => ({ name: `${index}.json`, text: JSON.stringify(object) })));

beforeAll(async () => {
  lab = await startLab({ name: specLabName() });
  for (const { metadata, status } of await lab.list<Node>('Node')) {
    const [v4 = '', v6 = ''] = status.addresses.filter(({ type }) => type === 'InternalIP').map((each) => each.address);
    address[metadata.name] = { 4: v4, 6: v6 };
  }
  const near = (text: string, last: string) => text.replace(/[^.:]+$/, last);
  const { 4: v4, 6: v6 } = address.node1!;
  client = { 4: near(v4, '250'), 6: near(v6, '250'), other: near(v4, '251') };
  outside = new OutsideClient(
    lab.name,
    [`${client[4]}/24`, `${client.other}/24`, `${client[6]}/64`],
    [`${EXTERNAL[4]} via ${v4}`, `${EXTERNAL[6]} via ${v6}`, `${BALANCED} via ${address.node2![4]}`],
  );
  await apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
    pod('web-1', 'node1', 'web'),
    pod('web-2', 'node2', 'web'),
    pod('near', 'node2', 'near'),
    service('web', { externalIPs: Object.values(EXTERNAL) }),
    service('near', {
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      loadBalancerIP: BALANCED,
      loadBalancerSourceRanges: [`${client[4]}/32`],
    }),
    service('none', {}),
  );
  await readyPods(lab, 'shop', 3);
  await until('every pod listens', 60_000, async () => {
    const said = [
      ...(await many(() => tcp(address.node1![6], PORT.web))),
      ...(await many(() => tcp(address.node2![4], PORT.web))),
      await tcp(address.node2![4], PORT.near),
    ];
    return said.length === 5 && said.every((each) => /^(?:web|near)/.test(each));
  });
}, 180_000);
afterAll(async () => {
  await outside?.end();
  await lab?.down();
  expect(traces(lab.name)).toEqual([]);
});

const tcp = (host: string, port: number, more = {}) =>
  outside.run<string>(`return tcp('${host}', ${port}, ${JSON.stringify(more)})`);
const udp = (host: string, port: number, size = 3) => outside.run<string>(`return udp('${host}', ${port}, ${size})`);
/** All that is answered: one of two backends is missed once in half a billion times. */
const many = async (ask: () => Promise<string>, count = 30) => {
  const said = new Set<string>();
  for (let round = 0; round < count; round++) said.add(await ask());
  return [...said].sort();
};

describe.each(NODES)('a node port of %s', (node) => {
  test.each(FAMILIES)(
    'leads to every backend over IPv%i; the node stands in for clients of those elsewhere',
    async (family) => {
      const host = address[node]![family];
      const seenBy = (pod: string) => (pod === `web-${node.slice(-1)}` ? client[family] : host);
      const both = ['web-1', 'web-2'].map((pod) => `${pod} ${seenBy(pod)}`);
      expect(await many(() => tcp(host, PORT.web))).toEqual(both);
      expect(await many(() => udp(host, PORT.web))).toEqual(both.map((each) => `${each} 3`));
      // Too large for one packet, both there and through the other node.
      expect(await many(() => udp(host, PORT.web, 4_000))).toEqual(both.map((each) => `${each} 4000`));
    },
  );

  test('refuses at once where nobody is behind it', async () => {
    for (const family of FAMILIES) {
      expect(await tcp(address[node]![family], PORT.none)).toBe('ECONNREFUSED');
      expect(await udp(address[node]![family], PORT.none)).toBe('ECONNREFUSED');
    }
  });
});

test('external and load-balancer addresses are reached at whichever node they are routed to', async () => {
  for (const family of FAMILIES) {
    expect(await many(() => tcp(EXTERNAL[family], 80))).toEqual([
      `web-1 ${client[family]}`,
      `web-2 ${address.node1![family]}`,
    ]);
  }
  expect(await tcp(BALANCED, 80)).toBe(`near ${client[4]}`);
  expect(await udp(BALANCED, 80)).toBe(`near ${client[4]} 3`);
});

test('a load-balancer address lets in whom its ranges name', async () => {
  expect(await tcp(BALANCED, 80, { localAddress: client.other, timeout: SILENT_MS })).toBe('TIMEOUT');
  expect(await tcp(BALANCED, 80, { localAddress: client[4] })).toBe(`near ${client[4]}`);
});

test('traffic that is to stay local keeps its addresses, and is not passed on; nodes say where it is served', async () => {
  for (const family of FAMILIES) {
    expect(await tcp(address.node2![family], PORT.near)).toBe(`near ${client[family]}`);
    expect(await tcp(address.node1![family], PORT.near, { timeout: SILENT_MS })).toBe('TIMEOUT');
  }
  const near = (await lab.list<Service>('Service', 'shop')).find(({ metadata }) => metadata.name === 'near');
  const port = near?.spec.healthCheckNodePort;
  for (const [node, status, localEndpoints] of [
    ['node1', 503, 0],
    ['node2', 200, 1],
  ] as const) {
    const answer = await until(`${node} says ${status}`, 30_000, async () => {
      const said = await fetch(`http://${address[node]![4]}:${port}/`).catch(() => undefined);
      return said?.status === status ? said : undefined;
    });
    expect(await answer.json()).toMatchObject({ service: { namespace: 'shop', name: 'near' }, localEndpoints });
  }
  // Whoever is in the cluster is balanced at connect(), where that policy does not count.
  const asked = `require('net').connect(${PORT.near}, '${address.node1![4]}', function () { this.write('hello') }).on('data', (data) => { console.log(String(data)); process.exit() })`;
  const { stdout } = await lab.exec('shop', 'web-1', [process.execPath, '-e', asked]);
  expect(stdout).toMatch(/^near /);
});

test('a backend that goes, and an agent that is killed, cost nobody a connection to the others', async () => {
  // Ten connections that say something every 20 ms, and new ones all the time.
  await outside.run(`
    kept.problems = []; kept.fresh = []; kept.held = []; kept.rounds = 0;
    const host = ${JSON.stringify(address.node1![4])};
    for (let index = 0; index < 10; index++) {
      const socket = net.connect(${PORT.web}, host);
      const own = { server: '', answers: 0 };
      socket.on('data', (data) => { own.server = String(data).split(' ')[0]; own.answers++; });
      socket.on('error', (error) => kept.problems.push('held: ' + error.code));
      socket.on('close', () => kept.over || kept.problems.push('held: closed'));
      kept.held.push(own);
      setInterval(() => socket.write('hello'), 20).unref();
    }
    (async () => {
      while (!kept.over) {
        const said = await tcp(host, ${PORT.web}, { timeout: 5_000 });
        kept.rounds++;
        if (!said.startsWith('web-')) kept.problems.push('fresh: ' + said);
        else kept.fresh.push(said.split(' ')[0]);
      }
    })();`);
  const state = () =>
    outside.run<{ problems: string[]; fresh: string[]; held: { server: string; answers: number }[] }>(
      'const { problems, fresh, held } = kept; kept.fresh = []; return { problems, fresh, held }',
    );
  await until('both serve', 60_000, async () => {
    const { held } = await state();
    return held.every(({ answers }) => answers > 5) && new Set(held.map(({ server }) => server)).size === 2;
  });
  // It is taken out, and goes on serving whom it has.
  await apply(pod('web-2', 'node2', 'retired'));
  await until('nobody new is sent there', 60_000, async () => {
    const { fresh } = await state();
    return fresh.length > 3 && fresh.every((server) => server === 'web-1');
  });
  const before = (await state()).held;
  await lab.agent('node1', 'kill');
  await until('a new agent runs, and everybody was answered meanwhile', 60_000, async () => {
    const { nodes } = await lab.status();
    const { held } = await state();
    const answered = held.every(({ answers }, index) => answers > before[index]!.answers + 20);
    return nodes[0]!.agent === 'running' && answered;
  });
  await apply(pod('web-2', 'node2', 'web'));
  await until('it is back for everybody', 60_000, async () => {
    const { fresh } = await state();
    return new Set(fresh).size === 2;
  });
  const { problems } = await state();
  await outside.run('kept.over = true');
  expect(problems).toEqual([]);
}, 240_000);

test('without a Service for them, no packet of clients outside is asked about', async () => {
  const pins = () =>
    readdirSync(`${labLayout(lab.name).dir}/node1/bpf/links`).filter((name) => name.includes('uplink'));
  expect(pins()).toHaveLength(2);
  await lab.delete({
    objects: ['web', 'near', 'none'].map((name) => ({ kind: 'Service', namespace: 'shop', name })),
  });
  await until('the programs are off the uplink', 60_000, () => pins().length === 0);
  expect(await tcp(address.node1![4], PORT.web)).toBe('ECONNREFUSED');
});
