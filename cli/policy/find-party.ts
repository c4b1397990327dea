import { isWorld, RESERVED_IDENTITY } from '#core/identity/reserved.ts';
import { formatAddress, isAddress, parseAddress } from '#core/ip/address.ts';
import { cidrHas, parseCidr } from '#core/ip/cidr.ts';
import type { Party } from '#core/policy/connection.ts';
import type { PodDescription } from '#runtime/cluster/pod-description.ts';
import { CommandError, MISUSE } from '../failure.ts';
import type { ReadCluster } from './read-cluster.ts';

/** An end of a connection as a person named it. */
export interface NamedParty {
  /** `shop/web-1`, `node:node1`, `192.0.2.1` */
  readonly name: string;
  readonly identity: number;
  readonly addresses: readonly Uint8Array[];
  readonly node: string;
}

export const PARTY_FORM = 'namespace/pod, namespace/workload, node:name, or an IP address';

/** Finds whom a word means. Throws {@link CommandError} that says whom there is. */
export function findParty(cluster: ReadCluster, word: string): NamedParty {
  if (isAddress(word)) return partyOfAddress(cluster, word);
  if (word.startsWith('node:')) return partyOfNode(cluster, word.slice('node:'.length));
  const [namespace, name, more] = word.split('/');
  if (!namespace || !name || more !== undefined) throw new CommandError(`"${word}" is not ${PARTY_FORM}`, MISUSE);
  const pods = cluster.pods.filter((pod) => pod.namespace === namespace).sort((a, b) => (a.name < b.name ? -1 : 1));
  const found = pods.find((pod) => pod.name === name) ?? pods.find((pod) => pod.workload.name === name);
  if (found !== undefined) return partyOfPod(found);
  const names = [...new Set(pods.map(({ workload }) => workload.name))];
  const there = names.length === 0 ? 'the namespace has no pods' : `there are ${names.slice(0, 20).join(', ')}`;
  throw new CommandError(`no pod or workload "${name}" in namespace "${namespace}": ${there}`);
}

/** The two as ends of one connection: with addresses of one family, IPv4 where both have it. */
export function partiesOf(source: NamedParty, destination: NamedParty): { source: Party; destination: Party } {
  for (const bytes of [4, 16]) {
    const [from, to] = [source, destination].map(({ addresses }) => addresses.find(({ length }) => length === bytes));
    const alone = source.addresses.length === 0 || destination.addresses.length === 0;
    if ((from !== undefined && to !== undefined) || (alone && (from ?? to) !== undefined)) {
      return { source: partyWith(source, from), destination: partyWith(destination, to) };
    }
  }
  return { source: partyWith(source, undefined), destination: partyWith(destination, undefined) };
}

/** `shop/web-1 (10.0.1.7)` */
export function partyText({ name }: NamedParty, { address, identity }: Party): string {
  return address === undefined || isWorld(identity) ? name : `${name} (${formatAddress(address)})`;
}

function partyWith({ identity, node }: NamedParty, address: Uint8Array | undefined): Party {
  return { identity, node, address };
}

function partyOfPod({ namespace, name, identity, addresses, node }: PodDescription): NamedParty {
  return { name: `${namespace}/${name}`, identity, addresses: addresses.map(parseAddress), node };
}

function partyOfNode({ nodes }: ReadCluster, name: string): NamedParty {
  const node = nodes.find(({ metadata }) => metadata.name === name);
  if (node === undefined) {
    const names = nodes.map(({ metadata }) => metadata.name);
    const there = names.length === 0 ? 'none is known' : `there are ${names.join(', ')}`;
    throw new CommandError(`no node "${name}": ${there}`);
  }
  const addresses = node.status.addresses.map(({ address }) => address).filter(isAddress);
  return { name: `node:${name}`, identity: RESERVED_IDENTITY.host, addresses: addresses.map(parseAddress), node: name };
}

function partyOfAddress(cluster: ReadCluster, text: string): NamedParty {
  const address = parseAddress(text);
  const canonical = formatAddress(address);
  const has = (candidate: string) => isAddress(candidate) && formatAddress(parseAddress(candidate)) === canonical;
  const pod = cluster.pods.find(({ addresses, finished }) => !finished && addresses.some(has));
  if (pod !== undefined) return { ...partyOfPod(pod), addresses: [address] };
  const node = cluster.nodes.find(({ status }) => status.addresses.some((entry) => has(entry.address)));
  if (node !== undefined) return { ...partyOfNode(cluster, node.metadata.name), addresses: [address] };
  const ranges = cluster.nodes.flatMap(({ spec }) => spec.podCIDRs.flatMap((text) => parseCidr(text) ?? []));
  const { unmanaged, world } = RESERVED_IDENTITY;
  const identity = ranges.some((range) => cidrHas(range, address)) ? unmanaged : world;
  return { name: canonical, identity, addresses: [address], node: '' };
}
