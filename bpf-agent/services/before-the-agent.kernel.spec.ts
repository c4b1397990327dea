import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestNode, type TestPod } from '../testing/test-node.ts';
import { until } from '../testing/until.ts';

const ADDRESS = '10.96.0.90';

let node: TestNode;
let client: TestPod;
let program: ChildProcess;
let port: number;
const said: string[] = [];

beforeAll(async () => {
  node = new TestNode();
  client = node.addPod('client');
  const server = node.addPod('server');
  await node.serve(server, 8080);
  kubeProxy(server);
  program = spawn(
    'sh',
    [
      '-c',
      `echo $$ > ${join(client.cgroup, 'cgroup.procs')}; exec nsenter --net=/run/netns/${client.namespace} "$0" -e "$1"`,
      process.execPath,
      `const socket = require('net').connect(80, '${ADDRESS}', () => console.log(socket.localPort));
       socket.on('data', () => console.log('data')).on('error', (error) => console.log(error.code));
       process.stdin.on('data', () => socket.write('GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'));`,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  createInterface({ input: program.stdout! }).on('line', (line) => said.push(line));
  await until('the program is connected', () => said.length > 0 || undefined);
  port = Number(said[0]);
  node.writeObject('Service', 'shop', 'web', {
    metadata: { name: 'web', namespace: 'shop' },
    spec: { type: 'ClusterIP', clusterIP: ADDRESS, clusterIPs: [ADDRESS], ports: [{ port: 80 }] },
  });
  node.writeObject('EndpointSlice', 'shop', 'web-1', {
    metadata: { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: '', protocol: 'TCP', port: 8080 }],
    endpoints: [{ addresses: [server.ip], conditions: { ready: true } }],
  });
  await node.startAgent();
});

afterAll(async () => {
  program?.kill('SIGKILL');
  await node?.stop();
});

/** The rules by which kube-proxy leads to the server. */
function kubeProxy(server: TestPod): void {
  const rules = `*nat
:KUBE-SERVICES - [0:0]
:KUBE-SVC-WEB - [0:0]
:KUBE-SEP-ONE - [0:0]
-A PREROUTING -j KUBE-SERVICES
-A KUBE-SERVICES -d ${ADDRESS}/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-WEB
-A KUBE-SVC-WEB -j KUBE-SEP-ONE
-A KUBE-SEP-ONE -p tcp -m tcp -j DNAT --to-destination ${server.ip}:8080
COMMIT
`;
  const command = [`--net=/run/netns/${node.id}`, 'iptables-restore', '--noflush'];
  execFileSync('nsenter', command, { input: rules, stdio: ['pipe', 'ignore', 'pipe'] });
}

async function waggle(...args: string[]): Promise<string> {
  const command = node.waggle(...args, '--server', `unix:${node.run.socket}`);
  await command.ended;
  return command.output;
}

it('a connection through kube-proxy’s rules goes on, and is listed with who holds it as long as it lasts', async () => {
  program.stdin!.write('x');
  await until('it is answered', () => said.includes('data') || undefined);
  const line = `shop/client (node, ${program.pid}) from ${client.ip}:${port} to shop/web (${ADDRESS}:80/TCP) on ${node.name}`;
  expect(await waggle('service', 'list')).toContain(line);
  const status = await waggle('status');
  expect(status).toContain(line);
  expect(status).toContain('3 iptables rules of kube-proxy are present');

  program.kill('SIGKILL');
  await once(program, 'exit');
  await until(
    'it is listed no more',
    async () => !(await waggle('service', 'list')).includes('shop/client') || undefined,
  );
});
