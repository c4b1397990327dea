import type { Endpoint } from '#core/flow/endpoint.ts';
import { isReserved, isWorld, RESERVED_IDENTITY, reservedIdentities } from '#core/identity/reserved.ts';
import { CardKind } from '#proto/gen/waggle/v1/view_pb.ts';

/** Bit of identities that one node gave to a range of addresses outside the cluster. */
const CIDR_IDENTITY = 0x01000000;

/** Who an endpoint is drawn as. */
export interface CardName {
  /** Stable across streams and restarts: `cluster/namespace/kind/name`. */
  readonly key: string;
  readonly kind: CardKind;
  readonly cluster: string;
  readonly namespace: string;
  readonly workloadKind: string;
  readonly name: string;
  readonly identity: number;
}

export function cardName(endpoint: Endpoint): CardName {
  const { cluster, namespace, pod, identity } = endpoint;
  if (endpoint.workloadName !== '') {
    return workload(cluster, namespace, endpoint.workloadKind || 'Pod', endpoint.workloadName, identity);
  }
  if (pod !== '') return workload(cluster, namespace, 'Pod', pod, identity);
  // The world is the same for every cluster.
  if (isWorld(identity) || (identity >= CIDR_IDENTITY && identity < 2 * CIDR_IDENTITY)) {
    return plain(CardKind.WORLD, 'World', '', 'world', RESERVED_IDENTITY.world);
  }
  if (identity === RESERVED_IDENTITY.host) return plain(CardKind.HOST, 'Host', cluster, 'host', identity);
  if (identity === RESERVED_IDENTITY['remote-node'] || identity === RESERVED_IDENTITY['kube-apiserver']) {
    return plain(CardKind.REMOTE_NODE, 'RemoteNode', cluster, reservedIdentities.name(identity), identity);
  }
  const name = isReserved(identity) ? reservedIdentities.name(identity) : 'unknown';
  return {
    key: `${cluster}/${namespace}/Unknown/${name}`,
    kind: CardKind.UNKNOWN,
    cluster,
    namespace,
    workloadKind: '',
    name,
    identity,
  };
}

function workload(cluster: string, namespace: string, workloadKind: string, name: string, identity: number): CardName {
  return {
    key: `${cluster}/${namespace}/${workloadKind}/${name}`,
    kind: CardKind.WORKLOAD,
    cluster,
    namespace,
    workloadKind,
    name,
    identity,
  };
}

function plain(kind: CardKind, word: string, cluster: string, name: string, identity: number): CardName {
  return { key: `${cluster}//${word}/${name}`, kind, cluster, namespace: '', workloadKind: '', name, identity };
}
