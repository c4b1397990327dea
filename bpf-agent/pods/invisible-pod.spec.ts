import { expect, test } from 'vitest';
import type { Link } from '../netlink/link.ts';
import { invisibleReason } from './invisible-pod.ts';

const link = (name: string, kind: string, mac: number[] = []): Link => ({
  index: 1,
  name,
  kind,
  up: true,
  peerIndex: undefined,
  peerNamespace: undefined,
  mac: Uint8Array.from(mac),
});
const LOOPBACK = link('lo', '', [0, 0, 0, 0, 0, 0]);

test.for([
  [[link('eth0', 'ipvlan')], 'eth0 is ipvlan'],
  [[link('eth0', 'macvlan', [2, 0, 0, 0, 0, 1])], 'eth0 is macvlan'],
  [[link('eth0', 'netkit')], "eth0 is netkit, which belongs to Cilium's own datapath"],
  [[link('tap0', 'tun')], "tap0 is a tap of a sandbox such as gVisor's or Kata's"],
  [[link('eth0', '', [2, 0, 0, 0, 0, 1])], 'eth0 is a device of its own, as with SR-IOV'],
  [[], undefined],
  [[link('eth0', 'veth', [2, 0, 0, 0, 0, 1])], undefined],
] as const)('a pod with %j', ([links, reason]) => {
  expect(invisibleReason([LOOPBACK, ...links])).toBe(reason);
});
