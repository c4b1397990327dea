import { shortHash } from '../lab-layout.ts';

/**
 * A lab's address plan, from two bytes of IPv4 and 48 bits of IPv6 that no one else on the machine uses.
 *
 *   pods of node k    a.b.(4k).0/22        P:<k+1>::/64
 *   services          a.b.128.0/18         P:f001::/112
 *   fabric            a.b.255.0/24         P:f000::/64      node k is .(k+1), the host .254
 */
export interface LabSubnets {
  /** First two bytes of every IPv4 address, as text: "10.77". */
  v4: string;
  /** First 48 bits of every IPv6 address, as text: "fd57:1a2b:4d". */
  v6: string;
}

export interface DualAddress {
  v4: string;
  v6: string;
}

export const MAX_NODES = 32;
/** Pods one node can address at a time; the first address of a node's range is its gateway. */
export const MAX_PODS_PER_NODE = 1020;
export const MAX_SERVICES = 16_000;

const HOST_NUMBER = 254;

/** Every plan to try, the one a lab of this name would like best first. */
export function subnetCandidates(labName: string): LabSubnets[] {
  const blocks: string[] = [];
  for (let b = 64; b < 192; b++) blocks.push(`10.${b}`);
  for (let b = 64; b < 128; b++) blocks.push(`100.${b}`);
  for (let b = 16; b < 32; b++) blocks.push(`172.${b}`);
  const preferred = Number.parseInt(shortHash(labName, 6), 16) % 128;
  const ordered = [...blocks.slice(preferred, 128), ...blocks.slice(0, preferred), ...blocks.slice(128)];
  return ordered.map((v4) => {
    const [a = 0, b = 0] = v4.split('.').map(Number);
    // Without leading zeros: addresses are compared as text with what the kernel prints.
    const lab = Number.parseInt(shortHash(labName, 4), 16).toString(16);
    return { v4, v6: `fd57:${lab}:${((a << 8) | b).toString(16)}` };
  });
}

export function labCidrs(subnets: LabSubnets): DualAddress {
  return { v4: `${subnets.v4}.0.0/16`, v6: `${subnets.v6}::/48` };
}

export function podCidrs(subnets: LabSubnets, node: number): DualAddress {
  return { v4: `${subnets.v4}.${4 * node}.0/22`, v6: `${subnets.v6}:${(node + 1).toString(16)}::/64` };
}

/** The address pods of a node send everything through; it lives on the node's loopback. */
export function podGateway(subnets: LabSubnets, node: number): string {
  return `${subnets.v4}.${4 * node}.1`;
}

/** Address of pod slot 0…MAX_PODS_PER_NODE-1 of a node. */
export function podAddress(subnets: LabSubnets, node: number, slot: number): DualAddress {
  const number = slot + 2;
  return {
    v4: `${subnets.v4}.${4 * node + (number >> 8)}.${number & 255}`,
    v6: `${subnets.v6}:${(node + 1).toString(16)}::${number.toString(16)}`,
  };
}

export function nodeAddress(subnets: LabSubnets, node: number): DualAddress {
  return { v4: `${subnets.v4}.255.${node + 1}`, v6: `${subnets.v6}:f000::${(node + 1).toString(16)}` };
}

export function hostAddress(subnets: LabSubnets): DualAddress {
  return { v4: `${subnets.v4}.255.${HOST_NUMBER}`, v6: `${subnets.v6}:f000::${HOST_NUMBER.toString(16)}` };
}

export function serviceAddress(subnets: LabSubnets, slot: number): DualAddress {
  const number = slot + 1;
  return {
    v4: `${subnets.v4}.${128 + (number >> 8)}.${number & 255}`,
    v6: `${subnets.v6}:f001::${number.toString(16)}`,
  };
}

export function serviceCidrs(subnets: LabSubnets): DualAddress {
  return { v4: `${subnets.v4}.128.0/18`, v6: `${subnets.v6}:f001::/112` };
}

/** An address of the Service range that no Service is ever given. */
export function unownedServiceAddress(subnets: LabSubnets): DualAddress {
  return serviceAddress(subnets, MAX_SERVICES + 1);
}
