import { existsSync } from 'node:fs';
import { netnsPath, podLinkName } from '../lab-layout.ts';
import { Netns } from './netns.ts';
import { ipBatch } from './run-tool.ts';
import type { DualAddress } from './subnets.ts';

export interface PodLink {
  podUid: string;
  netns: string;
  address: DualAddress;
}

/** The link-local address every node shows its pods as their IPv6 router. */
const ROUTER = 'fe80::1';

/**
 * Makes the pods' network namespaces and joins each to its node by a veth without a bridge: the pod has a single
 * host address and sends everything to the node, the node has a host route per pod. One batch serves many pods.
 */
export async function attachPods(
  nodeNetns: string,
  nodeAddress: DualAddress,
  gateway: string,
  pods: PodLink[],
): Promise<void> {
  await ipBatch(
    undefined,
    pods.map((pod) => `netns add ${pod.netns}`),
  );
  await ipBatch(
    nodeNetns,
    pods.flatMap((pod) => {
      const link = podLinkName(pod.podUid);
      return [
        `link add ${link} type veth peer name eth0 netns ${pod.netns}`,
        `link set ${link} addrgenmode none`,
        `link set ${link} up`,
        `address add ${ROUTER}/64 dev ${link} nodad`,
        `route add ${pod.address.v4}/32 dev ${link} src ${nodeAddress.v4}`,
        `route add ${pod.address.v6}/128 dev ${link} src ${nodeAddress.v6}`,
      ];
    }),
  );
  await Promise.all(pods.map((pod) => configurePod(pod, gateway)));
}

async function configurePod(pod: PodLink, gateway: string): Promise<void> {
  const namespace = new Netns(pod.netns);
  try {
    namespace.sysctl({
      // What container runtimes set, so that programs need no privilege for low ports and ping.
      'net/ipv4/ip_unprivileged_port_start': '0',
      'net/ipv4/ping_group_range': '0 2147483647',
      // No router advertisements here, and nobody to detect duplicates of: addresses serve at once.
      'net/ipv6/conf/default/accept_ra': '0',
      'net/ipv6/conf/default/accept_dad': '0',
      'net/ipv6/conf/eth0/accept_ra': '0',
      'net/ipv6/conf/eth0/accept_dad': '0',
    });
  } finally {
    namespace.close();
  }
  await ipBatch(pod.netns, [
    'link set lo up',
    'link set eth0 up',
    `address add ${pod.address.v4}/32 dev eth0`,
    `address add ${pod.address.v6}/128 dev eth0 nodad`,
    `route add ${gateway}/32 dev eth0 scope link`,
    `route add default via ${gateway} dev eth0`,
    `route add ::/0 via ${ROUTER} dev eth0`,
  ]);
}

/** Removes pods' links and namespaces; what is already gone is skipped. */
export async function detachPods(nodeNetns: string, pods: { podUid: string; netns: string }[]): Promise<void> {
  const attached = pods.filter((pod) => existsSync(netnsPath(pod.netns)));
  // Deleting the link first makes it vanish now; a namespace is dismantled later, whenever the kernel likes.
  await Promise.all(
    attached.map((pod) => ipBatch(nodeNetns, [`link delete ${podLinkName(pod.podUid)}`]).catch(() => {})),
  );
  await ipBatch(
    undefined,
    attached.map((pod) => `netns delete ${pod.netns}`),
  );
}
