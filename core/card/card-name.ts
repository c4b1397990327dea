import type { Endpoint } from '../flow/endpoint.ts';
import { isReserved, isWorld, RESERVED_IDENTITY, reservedIdentities } from '../identity/reserved.ts';

export type CardKind = 'workload' | 'world' | 'host' | 'remote-node' | 'unknown';

/** Bit of identities that one node gave to a range of addresses outside the cluster. */
const CIDR_IDENTITY = 0x01000000;

/** Who an endpoint is drawn as. */
export interface CardName {
  /** Stable across streams and restarts: `cluster/namespace/kind/name`, with `@node` behind it where cards stand per node. */
  readonly key: string;
  readonly kind: CardKind;
  readonly cluster: string;
  readonly namespace: string;
  /** Deployment, DaemonSet, …; empty for anything that is not a workload. */
  readonly workloadKind: string;
  readonly name: string;
  readonly identity: number;
}

export interface CardNameOptions {
  /** A workload has one card on each node where it runs. */
  readonly perNode?: boolean;
}

/** The one grouping of endpoints into cards: the server's map and the browser's selection both go by it. */
export function cardName(endpoint: Endpoint, { perNode = false }: CardNameOptions = {}): CardName {
  const name = groupedName(endpoint);
  // The world is on no node; an address whose node is not known stays one card.
  if (!perNode || name.kind === 'world' || endpoint.node === '') return name;
  return { ...name, key: `${name.key}${NODE_MARK}${endpoint.node}` };
}

/** The key of a workload's card. */
export function workloadCardKey(cluster: string, namespace: string, kind: string, name: string): string {
  return `${cluster}/${namespace}/${kind}/${name}`;
}

/** Cannot occur in the names of Kubernetes objects. */
const NODE_MARK = '@';

/** Whether a key is that of a card which stands for one node's part of a workload. */
export function isPerNodeKey(key: string): boolean {
  return key.includes(NODE_MARK);
}

/** The node of such a key; empty for any other. */
export function nodeOfKey(key: string): string {
  const at = key.indexOf(NODE_MARK);
  return at < 0 ? '' : key.slice(at + 1);
}

/** The key of the same card where cards do not stand per node. */
export function workloadKey(key: string): string {
  const at = key.indexOf(NODE_MARK);
  return at < 0 ? key : key.slice(0, at);
}

/** The world as a whole: what has no name of its own. */
export const WORLD_NAME: CardName = plain('world', 'World', '', 'world', RESERVED_IDENTITY.world);

/** The key of the card of a cluster's nodes as its pods see them: all but their own. */
export function remoteNodesCardKey(cluster: string): string {
  return plain('remote-node', 'RemoteNode', cluster, 'remote-node', RESERVED_IDENTITY['remote-node']).key;
}

function groupedName(endpoint: Endpoint): CardName {
  const { cluster, namespace, pod, identity } = endpoint;
  if (endpoint.workloadName !== '') {
    return workload(cluster, namespace, endpoint.workloadKind || 'Pod', endpoint.workloadName, identity);
  }
  if (pod !== '') return workload(cluster, namespace, 'Pod', pod, identity);
  if (isOutside(endpoint)) {
    // The world is the same for every cluster.
    const name = worldName(endpoint);
    return name === undefined ? WORLD_NAME : plain('world', 'World', '', name, identity);
  }
  if (identity === RESERVED_IDENTITY.host) return plain('host', 'Host', cluster, 'host', identity);
  if (identity === RESERVED_IDENTITY['remote-node'] || identity === RESERVED_IDENTITY['kube-apiserver']) {
    return plain('remote-node', 'RemoteNode', cluster, reservedIdentities.name(identity), identity);
  }
  const name = isReserved(identity) ? reservedIdentities.name(identity) : 'unknown';
  const key = `${cluster}/${namespace}/Unknown/${name}`;
  return { key, kind: 'unknown', cluster, namespace, workloadKind: '', name, identity };
}

/** Whether it is no part of the cluster: its identity is the world's, or one that a node gave to a range of addresses. */
export function isOutside({ identity }: Pick<Endpoint, 'identity'>): boolean {
  return isWorld(identity) || (identity >= CIDR_IDENTITY && identity < 2 * CIDR_IDENTITY);
}

/** The name that people gave to an address outside the cluster: a DNS name it was looked up under, a group of ranges, a pattern. */
export function givenName({ names, labels }: Endpoint): string | undefined {
  if (names.length > 0) return names[0];
  for (const prefix of ['cidrgroup:', 'fqdn:']) {
    const label = labels.find((each) => each.startsWith(prefix));
    if (label !== undefined) return label.slice(prefix.length).replace(/^io\.cilium\.policy\.cidrgroupname\//, '');
  }
  return undefined;
}

/**
 * What an address outside the cluster is called: by a DNS name it was looked up under, else by the name of its group of
 * ranges, else by the pattern or range a policy knows it by; undefined when nobody named it.
 */
function worldName(endpoint: Endpoint): string | undefined {
  const given = givenName(endpoint);
  if (given !== undefined) return given;
  let range: string | undefined;
  let longest = 0;
  for (const label of endpoint.labels) {
    if (!label.startsWith('cidr:')) continue;
    const [address, bits] = label.slice('cidr:'.length).split('/');
    // A whole address family is no name. In labels, IPv6 is written with dashes.
    if (Number(bits) <= longest) continue;
    longest = Number(bits);
    range = `${address.includes('.') ? address : address.replaceAll('-', ':')}/${bits}`;
  }
  return range;
}

function workload(cluster: string, namespace: string, workloadKind: string, name: string, identity: number): CardName {
  const key = workloadCardKey(cluster, namespace, workloadKind, name);
  return { key, kind: 'workload', cluster, namespace, workloadKind, name, identity };
}

function plain(kind: CardKind, word: string, cluster: string, name: string, identity: number): CardName {
  return { key: `${cluster}//${word}/${name}`, kind, cluster, namespace: '', workloadKind: '', name, identity };
}
