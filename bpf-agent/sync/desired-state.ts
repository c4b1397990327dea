import { RESERVED_IDENTITY } from '#core/identity/reserved.ts';
import { formatAddress, isAddress, parseAddress } from '#core/ip/address.ts';
import type { Node } from '#runtime/cluster/objects.ts';
import type { PodDescription } from '#runtime/cluster/pod-description.ts';
import type { PodInterface } from '../pods/pod-interface.ts';

/** A pod of this node with the interface it was found behind. */
export interface LocalEndpoint {
  /** Node-local endpoint number, never 0. */
  readonly id: number;
  readonly pod: PodDescription;
  readonly interface: PodInterface;
}

/** What the node's eBPF maps and hooks should hold. */
export interface DesiredState {
  /** By interface index. */
  readonly endpoints: ReadonlyMap<number, LocalEndpoint>;
  /** Canonical address → identity: pods of the whole cluster, and the nodes. */
  readonly identities: ReadonlyMap<string, number>;
  /** CIDR → identity of what is in it and has no address of its own in `identities`. */
  readonly prefixes: ReadonlyMap<string, number>;
  /** Who owns an address, for names: pods, then nodes. */
  readonly owners: ReadonlyMap<string, AddressOwner>;
}

export type AddressOwner =
  | { readonly kind: 'pod'; readonly pod: PodDescription; readonly endpoint?: LocalEndpoint }
  | { readonly kind: 'node'; readonly node: string; readonly identity: number };

export interface ClusterPicture {
  readonly ownNode: string;
  /** Addresses of the interfaces in the node's own network namespace. */
  readonly ownAddresses: readonly string[];
  readonly nodes: readonly Node[];
  /** Ranges of pods' addresses beside those of the nodes. */
  readonly podCidrs?: readonly string[];
  /** Order matters where two claim one address: the later one wins. */
  readonly pods: readonly PodDescription[];
  readonly endpoints: readonly LocalEndpoint[];
}

/** The state that follows from what is known. Pure: equal pictures give equal states. */
export function desiredState(picture: ClusterPicture): DesiredState {
  const owners = new Map<string, AddressOwner>();
  for (const node of picture.nodes) {
    const own = node.metadata.name === picture.ownNode;
    const identity = own ? RESERVED_IDENTITY.host : RESERVED_IDENTITY['remote-node'];
    for (const { address } of node.status.addresses) {
      if (isAddress(address))
        owners.set(canonicalAddress(address), { kind: 'node', node: node.metadata.name, identity });
    }
  }
  for (const address of picture.ownAddresses) {
    if (!isAddress(address)) continue;
    owners.set(canonicalAddress(address), { kind: 'node', node: picture.ownNode, identity: RESERVED_IDENTITY.host });
  }
  const endpoints = new Map(picture.endpoints.map((endpoint) => [endpoint.interface.index, endpoint]));
  const endpointOf = new Map(picture.endpoints.map((endpoint) => [endpoint.pod.uid, endpoint]));
  // A finished pod keeps its address only while its interface stands here, and never against a pod that runs.
  const running = (pod: PodDescription) => !pod.finished;
  for (const pods of [
    picture.pods.filter((pod) => pod.finished && endpointOf.has(pod.uid)),
    picture.pods.filter(running),
  ]) {
    for (const pod of pods) {
      const endpoint = endpointOf.get(pod.uid);
      for (const address of pod.addresses) owners.set(canonicalAddress(address), { kind: 'pod', pod, endpoint });
    }
  }
  const identities = new Map<string, number>();
  for (const [address, owner] of owners) {
    identities.set(address, owner.kind === 'pod' ? owner.pod.identity : owner.identity);
  }
  const prefixes = new Map<string, number>();
  // An address of the pods' range that no pod has is somebody the cluster does not know, and not the world.
  for (const cidr of [...picture.nodes.flatMap(({ spec }) => spec.podCIDRs), ...(picture.podCidrs ?? [])]) {
    if (isCidr(cidr)) prefixes.set(cidr, RESERVED_IDENTITY.unmanaged);
  }
  return { endpoints, identities, prefixes, owners };
}

/** One text per address, whatever way a manifest writes it. */
function canonicalAddress(text: string): string {
  return text.includes(':') ? formatAddress(parseAddress(text)) : text;
}

function isCidr(text: string): boolean {
  const slash = text.lastIndexOf('/');
  const length = text.slice(slash + 1);
  return (
    slash > 0 &&
    isAddress(text.slice(0, slash)) &&
    /^\d{1,3}$/.test(length) &&
    Number(length) <= (text.includes(':') ? 128 : 32)
  );
}
