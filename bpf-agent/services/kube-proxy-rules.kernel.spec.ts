import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { LoadBalancerService } from '#proto/gen/waggle/v1/service_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { TestNode } from '../testing/test-node.ts';

/** As kube-proxy in iptables mode writes a Service with one backend and a node port. */
const IPTABLES = `*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-SVC-TCOU7JCQXEZGVUNU - [0:0]
:KUBE-SEP-YIL6JZP7A3QYXJU2 - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m udp --dport 53 -j KUBE-SVC-TCOU7JCQXEZGVUNU
-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-SVC-TCOU7JCQXEZGVUNU -j KUBE-SEP-YIL6JZP7A3QYXJU2
-A KUBE-SEP-YIL6JZP7A3QYXJU2 -p udp -m udp -j DNAT --to-destination 10.77.0.9:53
COMMIT
`;
const IPTABLES6 = IPTABLES.replace('10.96.0.10/32', 'fd96::a/128').replace('10.77.0.9:53', '[fd77::9]:53');
/** The same in nftables mode, of both families. */
const NFTABLES = ['ip', 'ip6']
  .map(
    (family) => `table ${family} kube-proxy {
  chain endpoint-1 { meta l4proto udp dnat to ${family === 'ip' ? '10.77.0.9' : '[fd77::9]'}:53; }
  chain service-1 { numgen random mod 1 vmap { 0 : goto endpoint-1 }; }
  chain services { ${family} daddr ${family === 'ip' ? '10.96.0.10' : 'fd96::a'} udp dport 53 goto service-1; }
}`,
  )
  .join('\n');

let node: TestNode;

beforeAll(() => {
  node = new TestNode();
});

afterAll(() => node?.stop());

function inside(command: string[], input: string): void {
  execFileSync('nsenter', [`--net=/run/netns/${node.id}`, ...command], { input, stdio: ['pipe', 'ignore', 'pipe'] });
}

async function told() {
  const client = createClient(LoadBalancerService, `unix:${node.run.socket}`);
  try {
    const { kubeProxy } = await client.listServices({ namespace: '-' }, { deadlineMs: 20_000 });
    return kubeProxy.map(({ kind, rules }) => ({ kind, rules }));
  } finally {
    client.close();
  }
}

beforeEach(() => node.startAgent());

it('a node without kube-proxy tells none, and its status nothing of it', async () => {
  expect(await told()).toEqual([]);
  const status = node.waggle('status', '--server', `unix:${node.run.socket}`);
  await status.ended;
  expect(status.output).not.toContain('kube-proxy');
  await node.endAgent();
});

it('its rules are counted in either form, and waggle status says how to remove them, and what that risks', async () => {
  inside(['iptables-nft-restore', '--noflush'], IPTABLES);
  // The older kind of both families, which other tools than the newer one's would list.
  inside(['iptables-legacy-restore', '--noflush'], IPTABLES);
  inside(['ip6tables-legacy-restore', '--noflush'], IPTABLES6);
  inside(['nft', '-f', '-'], NFTABLES);
  expect(await told()).toEqual([
    { kind: 'iptables', rules: 12 },
    { kind: 'nftables', rules: 6 },
  ]);
  const status = node.waggle('status', '--server', `unix:${node.run.socket}`);
  await status.ended;
  expect(status.output).toContain(`${node.name}: 12 iptables rules of kube-proxy are present`);
  expect(status.output).toContain(`${node.name}: 6 nftables rules of kube-proxy are present`);
  expect(status.output).toMatch(/kube-proxy --cleanup/);
  expect(status.output).toMatch(/^Risk: /m);
});
