import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LoadBalancerService } from '#proto/gen/waggle/v1/service_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { TestNode, type TestPod } from '../testing/test-node.ts';
import { until } from '../testing/until.ts';

let node: TestNode;
let client: TestPod;
let servers: TestPod[];

beforeAll(async () => {
  node = new TestNode();
  client = node.addPod('client');
  servers = ['one', 'two', 'three'].map((name) => node.addPod(name, { app: 'web' }));
  for (const server of servers) await node.serve(server, 8080);
  node.writeObject('Service', 'shop', 'web', {
    metadata: { name: 'web', namespace: 'shop' },
    spec: { type: 'ClusterIP', clusterIP: '10.96.0.80', clusterIPs: ['10.96.0.80'], ports: [{ port: 80 }] },
  });
  endpoints(servers);
});

afterAll(() => node?.stop());

function endpoints(pods: readonly TestPod[]): void {
  node.writeObject('EndpointSlice', 'shop', 'web-1', {
    metadata: { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: '', protocol: 'TCP', port: 8080 }],
    endpoints: pods.map(({ ip, name }) => ({
      addresses: [ip],
      nodeName: node.name,
      conditions: { ready: true },
      targetRef: { kind: 'Pod', name, namespace: 'shop' },
    })),
  });
}

/** Requests to the Service without pause, and one connection that stays; told what became of them when its input ends. */
const LOAD = `const http = require('http'), net = require('net');
const told = { ok: 0, failed: [], kept: '', pieces: 0 };
let stop = false;
const kept = net.connect(80, '10.96.0.80').on('error', (error) => (told.kept = error.code)).on('data', () => told.pieces++);
const ping = () => kept.write('GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n');
const pinging = setInterval(ping, 100);
const request = () => new Promise((resolve) => http.get({ host: '10.96.0.80', agent: false }, (answer) => answer.resume().on('end', () => (told.ok++, resolve())))
  .on('error', (error) => (told.failed.push(error.code), resolve())));
const worker = async () => { while (!stop) await request() };
const workers = [worker(), worker()];
setInterval(() => console.log(told.ok), 50);
process.stdin.on('data', async () => { stop = true; clearInterval(pinging); await Promise.all(workers); kept.destroy(); console.log(JSON.stringify(told)); process.exit() });`;

it('killed and started again under load, an agent costs no connection; what changed meanwhile is made up for', async () => {
  await node.startAgent();
  const child = spawn(
    'sh',
    [
      '-c',
      `echo $$ > ${join(client.cgroup, 'cgroup.procs')}; exec nsenter --net=/run/netns/${client.namespace} "$0" -e "$1"`,
      process.execPath,
      LOAD,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  let line = '';
  createInterface({ input: child.stdout }).on('line', (each) => (line = each));
  const progress = async () => {
    const from = Number(line);
    await until('more requests get through', () => Number(line) > from + 50 || undefined);
  };
  await progress();
  for (let round = 0; round < 2; round++) {
    expect(await node.endAgent('SIGKILL')).toBe('SIGKILL');
    await progress();
    // It misses that one goes, which is still there to answer.
    endpoints(round === 0 ? servers.slice(0, 2) : servers);
    await node.startAgent();
    await progress();
  }
  child.stdin.write('end');
  // Not when it exits: the last line may come after that.
  await new Promise((resolve) => child.once('close', resolve));
  const told = JSON.parse(line) as { ok: number; failed: string[]; kept: string; pieces: number };
  expect(told.failed).toEqual([]);
  expect(told.kept).toBe('');
  expect(told.ok).toBeGreaterThan(250);
  expect(told.pieces).toBeGreaterThan(10);
  const services = createClient(LoadBalancerService, `unix:${node.run.socket}`);
  try {
    const answer = await services.listServices({ namespace: 'shop' }, { deadlineMs: 20_000 });
    expect(answer.problems).toEqual([]);
    expect(answer.services[0]?.frontends[0]?.backends.map(({ pod }) => pod).sort()).toEqual(['one', 'three', 'two']);
  } finally {
    services.close();
  }
});
