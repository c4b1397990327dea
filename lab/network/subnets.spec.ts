import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';
import { prefixesOverlap } from './free-subnets.ts';
import {
  hostAddress,
  labCidrs,
  MAX_NODES,
  MAX_PODS_PER_NODE,
  MAX_SERVICES,
  nodeAddress,
  podAddress,
  podCidrs,
  podGateway,
  serviceAddress,
  serviceCidrs,
  subnetCandidates,
} from './subnets.ts';

const [plan] = subnetCandidates('a-lab');
const subnets = plan!;
const inside = (address: string, cidr: string) => ipaddr.parse(address).match(ipaddr.parseCIDR(cidr));

describe("a lab's address plan", () => {
  test('gives every node, pod and service an address of its own, in its own range, written as the kernel would', () => {
    const seen = new Set<string>();
    const take = (address: { v4: string; v6: string }, cidrs: { v4: string; v6: string }) => {
      for (const family of ['v4', 'v6'] as const) {
        expect(seen.has(address[family])).toBe(false);
        seen.add(address[family]);
        if (!inside(address[family], cidrs[family])) throw new Error(`${address[family]} is not in ${cidrs[family]}`);
        expect(ipaddr.parse(address[family]).toString()).toBe(address[family]);
      }
    };
    const whole = labCidrs(subnets);
    take(hostAddress(subnets), whole);
    for (let node = 0; node < MAX_NODES; node++) {
      take(nodeAddress(subnets, node), whole);
      expect(seen.has(podGateway(subnets, node))).toBe(false);
      seen.add(podGateway(subnets, node));
      for (let slot = 0; slot < MAX_PODS_PER_NODE; slot += slot < 4 ? 1 : 127) {
        take(podAddress(subnets, node, slot), podCidrs(subnets, node));
      }
      take(podAddress(subnets, node, MAX_PODS_PER_NODE - 1), podCidrs(subnets, node));
    }
    for (let slot = 0; slot < MAX_SERVICES; slot += 999) take(serviceAddress(subnets, slot), serviceCidrs(subnets));
    take(serviceAddress(subnets, MAX_SERVICES - 1), serviceCidrs(subnets));
  });

  test('is the same each time for a name, and there are many others to turn to', () => {
    expect(subnetCandidates('a-lab')[0]).toEqual(subnets);
    const all = subnetCandidates('a-lab').map(({ v4 }) => v4);
    expect(new Set(all).size).toBe(all.length);
    expect(all.length).toBeGreaterThan(200);
  });
});

test.each([
  ['10.77.0.0/16', '10.0.0.0/8', true],
  ['10.77.0.0/16', '10.77.255.254/32', true],
  ['10.77.0.0/16', '10.78.0.0/16', false],
  ['10.77.0.0/16', 'fd57::/16', false],
  ['fd57:1:2::/48', 'fd57:1:2:f000::1/128', true],
])('%s and %s overlap: %s', (left, right, expected) => {
  expect(prefixesOverlap(left, right)).toBe(expected);
  expect(prefixesOverlap(right, left)).toBe(expected);
});
