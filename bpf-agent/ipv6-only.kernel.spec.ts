import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BatchDecoder } from '#core/flow/batch.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { isRoot, TestNode, type TestPod } from './testing/test-node.ts';
import { until } from './testing/until.ts';

const ADDRESS = 'fd77:ffff::1';

let node: TestNode;
beforeEach(() => {
  node = new TestNode();
  ip('-n', node.id, 'addr', 'add', `${ADDRESS}/128`, 'dev', 'lo', 'nodad');
  node.writeObject('Node', '_cluster', node.name, {
    metadata: { name: node.name },
    spec: { podCIDRs: ['fd77::/64'] },
    status: { addresses: [{ type: 'InternalIP', address: ADDRESS }] },
  });
});
afterEach(() => node.stop());

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** A pod as a network without IPv4 makes it. */
function addPod(name: string): TestPod {
  const pod = node.addSandbox(name, crypto.randomUUID());
  ip('-n', pod.namespace, '-4', 'address', 'flush', 'dev', 'eth0');
  const only = { ...pod, ip: pod.ipv6 };
  node.writePod({ name, uid: pod.uid, ip: pod.ipv6 }, { app: name });
  return only;
}

/** What the node's flows say of connections to that port: who, where from, and what became of them. */
async function told(port: number): Promise<string[]> {
  const window = new FlowWindow(1_024);
  const decoder = new BatchDecoder(window);
  const lines = new Set<string>();
  for await (const batch of node.flows.follow({ last: 1_000 })) {
    const { rows, columns } = decoder.decode(batch);
    for (let row = 0; row < rows; row++) {
      if (columns.destinationPort[row] !== port) continue;
      const [source, destination] = [columns.source, columns.destination].map((of) => window.endpoints.get(of[row]));
      const end = ({ pod, labels }: typeof source) => pod || labels[0];
      lines.add(`${end(source)} > ${end(destination)} ${columns.verdict[row]}`);
    }
  }
  return [...lines].sort();
}

describe.runIf(isRoot())('a node that has IPv6 alone', () => {
  test('is observed by name, enforces policies, and its agent listens there', { timeout: 60_000 }, async () => {
    const web = addPod('web');
    const db = addPod('db');
    await node.startAgent('--listen', `[${ADDRESS}]:4244`);
    await until('both pods are observed', async () => {
      const { endpoints } = await node.agentCalls.listEndpoints({});
      return endpoints.filter(({ problem }) => problem === '').length === 2 ? true : undefined;
    });
    const { nodes } = await node.flows.status({});
    expect(nodes[0]).toMatchObject({ address: `[${ADDRESS}]:4244`, message: '' });
    await node.serve(db, 3306);
    await node.request(web, db, 3306);
    await until('the connection is told', async () =>
      (await told(3306)).includes(`web > db ${VERDICT.FORWARDED}`) ? true : undefined,
    );

    node.writeObject('NetworkPolicy', 'shop', 'closed', {
      apiVersion: 'networking.k8s.io/v1',
      metadata: { name: 'closed', namespace: 'shop' },
      spec: { podSelector: { matchLabels: { app: 'db' } }, policyTypes: ['Ingress'] },
    });
    const connect = `const s=require('net').connect({host:'${db.ip}',port:3306});setTimeout(()=>process.exit(),300);s.on('connect',()=>console.log('open'))`;
    await until('the policy is enforced, and told', async () =>
      (await node.runIn(web, connect)) === '' && (await told(3306)).includes(`web > db ${VERDICT.DROPPED}`)
        ? true
        : undefined,
    );
    // The node itself reaches its pods whatever policies say, and is told as the host.
    await node.runOnNode(connect);
    await until('the host is told', async () =>
      (await told(3306)).includes(`reserved:host > db ${VERDICT.FORWARDED}`) ? true : undefined,
    );
  });
});
