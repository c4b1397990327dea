import { existsSync } from 'node:fs';
import { type LabLayout, nodeName, nodeNetns } from '../lab-layout.ts';
import { Netns } from './netns.ts';
import { ipBatch } from './run-tool.ts';
import { hostAddress, type LabSubnets, nodeAddress, podCidrs, podGateway } from './subnets.ts';

/**
 * Makes the nodes' network namespaces and joins them by a bridge that lives in a namespace of its own, with one more
 * link for the host, so that what runs there reaches nodes and pods.
 */
export async function createFabric(layout: LabLayout, subnets: LabSubnets, nodeCount: number): Promise<void> {
  if (!existsSync('/proc/sys/net/ipv6')) {
    throw new Error('the kernel runs without IPv6, which pods need: boot it without ipv6.disable=1');
  }
  const nodes = Array.from({ length: nodeCount }, (_, index) => index);
  const netnsOf = (index: number): string => nodeNetns(layout, nodeName(index));
  await ipBatch(undefined, [
    `netns add ${layout.fabricNetns}`,
    ...nodes.map((index) => `netns add ${netnsOf(index)}`),
    `link add ${layout.hostLink} type veth peer name host netns ${layout.fabricNetns}`,
  ]);
  const loops = [layout.fabricNetns, ...nodes.map(netnsOf)].map((netns) => ipBatch(netns, ['link set lo up']));
  await Promise.all(loops);
  await ipBatch(layout.fabricNetns, [
    'link add fabric type bridge forward_delay 0 mcast_snooping 0',
    'link set fabric addrgenmode none',
    'link set fabric up',
    'link set host master fabric',
    'link set host up',
    ...nodes.flatMap((index) => [
      `link add ${nodeName(index)} type veth peer name eth0 netns ${netnsOf(index)}`,
      `link set ${nodeName(index)} addrgenmode none`,
      `link set ${nodeName(index)} master fabric`,
      `link set ${nodeName(index)} up`,
    ]),
  ]);
  await Promise.all(nodes.map((index) => configureNode(netnsOf(index), subnets, index, nodes)));
  const host = hostAddress(subnets);
  await ipBatch(undefined, [
    `link set ${layout.hostLink} up`,
    `address add ${host.v4}/24 dev ${layout.hostLink}`,
    `address add ${host.v6}/64 dev ${layout.hostLink} nodad`,
    ...nodes.flatMap((index) => routesVia(subnets, index)),
  ]);
}

async function configureNode(netns: string, subnets: LabSubnets, index: number, nodes: number[]): Promise<void> {
  const namespace = new Netns(netns);
  try {
    namespace.sysctl({
      'net/ipv4/ip_forward': '1',
      'net/ipv4/conf/all/rp_filter': '0',
      'net/ipv4/conf/default/rp_filter': '0',
      'net/ipv6/conf/all/forwarding': '1',
    });
  } finally {
    namespace.close();
  }
  const address = nodeAddress(subnets, index);
  await ipBatch(netns, [
    'link set eth0 up',
    `address add ${address.v4}/24 dev eth0`,
    `address add ${address.v6}/64 dev eth0 nodad`,
    // Pods ask for this address on their own link; the kernel answers for any address it has, on any link.
    `address add ${podGateway(subnets, index)}/32 dev lo`,
    ...nodes.filter((other) => other !== index).flatMap((other) => routesVia(subnets, other)),
  ]);
}

function routesVia(subnets: LabSubnets, node: number): string[] {
  const pods = podCidrs(subnets, node);
  const via = nodeAddress(subnets, node);
  return [`route add ${pods.v4} via ${via.v4}`, `route add ${pods.v6} via ${via.v6}`];
}
