import type { NetworkNamespace } from '../loader/netns.ts';
import type { Link } from '../netlink/link.ts';
import { listLinks } from '../netlink/route-socket.ts';

/** Links that leave a pod without passing an interface of the node that programs could sit on. */
const BYPASSES: Readonly<Record<string, string>> = {
  ipvlan: 'ipvlan',
  macvlan: 'macvlan',
  ipvtap: 'ipvtap',
  macvtap: 'macvtap',
  netkit: "netkit, which belongs to Cilium's own datapath",
  tun: "a tap of a sandbox such as gVisor's or Kata's",
};
const ADVICE =
  "the agent cannot see such pods: follow the network's own Hubble with --hubble (docs/install.md), or give them a veth pair";

/**
 * Why no veth pair leads from a pod to its node, in one line: what its network namespace holds instead.
 * @throws LoaderError as `listLinks`.
 */
export function whyInvisible(namespace: NetworkNamespace, path: string): string {
  const reason = invisibleReason(listLinks(namespace));
  const plain = `no veth pair leads from the network namespace ${path} to the node`;
  return reason === undefined ? plain : `${plain}, but ${reason}; ${ADVICE}`;
}

/** Undefined where nothing is there yet, as in a pod whose network is being set up. */
export function invisibleReason(links: readonly Link[]): string | undefined {
  for (const { kind, name } of links) {
    const known = BYPASSES[kind];
    if (known !== undefined) return `${name} is ${known}`;
  }
  // Loopback has no kind either, and no hardware address to speak of.
  const hardware = links.find(({ kind, mac }) => kind === '' && mac.some((byte) => byte !== 0));
  return hardware && `${hardware.name} is a device of its own, as with SR-IOV`;
}
