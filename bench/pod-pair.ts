import { randomBytes } from 'node:crypto';
import { netnsPath, podLinkName } from '#lab/lab-layout.ts';
import { Netns } from '#lab/network/netns.ts';
import { attachPods, detachPods } from '#lab/network/pod-link.ts';
import { ipBatch, runTool } from '#lab/network/run-tool.ts';
import type { BenchmarkContext } from './benchmark.ts';

/** Two pods on one node, joined as the lab joins them: veth, routes in the node, no bridge. A packet passes 4 hooks. */
export interface PodPair {
  /** Path of the node's network namespace, in which the pods' links have their host side. */
  readonly node: string;
  readonly client: Pod;
  readonly server: Pod;
}

export interface Pod {
  /** Path of the pod's network namespace. */
  readonly netns: string;
  /** IPv4. */
  readonly address: string;
  /** Name and index of the host side of the pod's veth, in the node. */
  readonly link: string;
  readonly linkIndex: number;
}

// Addresses need not be free on the machine: nothing here is joined to the host.
const NODE = { v4: '10.64.255.1', v6: 'fd57:bbbb:40:f000::1' };
const GATEWAY = '10.64.0.1';

export async function createPodPair(context: BenchmarkContext): Promise<PodPair> {
  const prefix = `waggle.bench-${randomBytes(4).toString('hex')}`;
  const node = `${prefix}.node`;
  const pods = [2, 3].map((number) => ({
    podUid: `${prefix}/${number}`,
    netns: `${prefix}.pod${number}`,
    address: { v4: `10.64.0.${number}`, v6: `fd57:bbbb:40:1::${number}` },
  }));
  context.cleanUp(() => ipBatch(undefined, [`netns delete ${node}`]));
  context.cleanUp(() => detachPods(node, pods));
  await ipBatch(undefined, [`netns add ${node}`]);
  const netns = new Netns(node);
  try {
    netns.sysctl({
      'net/ipv4/ip_forward': '1',
      'net/ipv4/conf/all/rp_filter': '0',
      'net/ipv4/conf/default/rp_filter': '0',
      'net/ipv6/conf/all/forwarding': '1',
    });
    await ipBatch(node, [
      'link set lo up',
      `address add ${GATEWAY}/32 dev lo`,
      `address add ${NODE.v4}/32 dev lo`,
      `address add ${NODE.v6}/128 dev lo`,
    ]);
    await attachPods(node, NODE, GATEWAY, pods);
    const indexes = await linkIndexes(node);
    const [client, server] = pods.map((pod) => {
      const link = podLinkName(pod.podUid);
      return { netns: netnsPath(pod.netns), address: pod.address.v4, link, linkIndex: indexes.get(link)! };
    });
    // Ports in TIME_WAIT may be used again after a second, so that connecting never runs out of them.
    for (const pod of pods) {
      const inside = new Netns(pod.netns);
      inside.sysctl({ 'net/ipv4/tcp_tw_reuse': '1' });
      inside.close();
    }
    return { node: netnsPath(node), client: client!, server: server! };
  } finally {
    netns.close();
  }
}

async function linkIndexes(netns: string): Promise<Map<string, number>> {
  const { stdout } = await runTool('ip', ['-n', netns, '-j', 'link', 'show']);
  const links = JSON.parse(stdout) as { ifname: string; ifindex: number }[];
  return new Map(links.map((link) => [link.ifname, link.ifindex]));
}
