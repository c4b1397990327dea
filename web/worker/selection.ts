import type { Endpoint } from '#core/flow/endpoint.ts';
import { isReserved, isWorld, RESERVED_IDENTITY, reservedIdentities } from '#core/identity/reserved.ts';
import type { Selection } from './protocol.ts';

/** Bit of identities that one node gave to a range of addresses outside the cluster. */
const CIDR_IDENTITY = 0x01000000;

/** Whether an endpoint is part of the card: the same grouping as the server's map. */
export function belongs(endpoint: Endpoint, card: Selection): boolean {
  const kind = cardKindOf(endpoint);
  if (kind !== card.kind) return false;
  switch (kind) {
    case 'world':
      return true;
    case 'host':
      return endpoint.cluster === card.cluster;
    case 'remote-node':
      return endpoint.cluster === card.cluster && reservedIdentities.name(endpoint.identity) === card.name;
    case 'unknown':
      return (
        endpoint.cluster === card.cluster &&
        endpoint.namespace === card.namespace &&
        (isReserved(endpoint.identity) ? reservedIdentities.name(endpoint.identity) : 'unknown') === card.name
      );
    case 'workload':
      return (
        endpoint.cluster === card.cluster &&
        endpoint.namespace === card.namespace &&
        (endpoint.workloadName || endpoint.pod) === card.name &&
        ((endpoint.workloadName !== '' && endpoint.workloadKind) || 'Pod') === card.workloadKind
      );
  }
}

function cardKindOf({ workloadName, pod, identity }: Endpoint): Selection['kind'] {
  if (workloadName !== '' || pod !== '') return 'workload';
  if (isWorld(identity) || (identity >= CIDR_IDENTITY && identity < 2 * CIDR_IDENTITY)) return 'world';
  if (identity === RESERVED_IDENTITY.host) return 'host';
  if (identity === RESERVED_IDENTITY['remote-node'] || identity === RESERVED_IDENTITY['kube-apiserver']) {
    return 'remote-node';
  }
  return 'unknown';
}
