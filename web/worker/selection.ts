import type { Endpoint } from '#core/flow/endpoint.ts';
import { isWorld, RESERVED_IDENTITY } from '#core/identity/reserved.ts';
import type { Selection } from './protocol.ts';

/** Whether an endpoint is part of the card. */
export function belongs(endpoint: Endpoint, card: Selection): boolean {
  switch (card.kind) {
    case 'workload':
      return (
        endpoint.cluster === card.cluster &&
        endpoint.namespace === card.namespace &&
        (endpoint.workloadName === ''
          ? endpoint.pod === card.name
          : endpoint.workloadName === card.name && endpoint.workloadKind === card.workloadKind)
      );
    case 'world':
      return isWorld(endpoint.identity);
    case 'host':
      return endpoint.identity === RESERVED_IDENTITY.host && (card.name === endpoint.node || !namesNode(card));
    case 'remote-node':
      return endpoint.identity === RESERVED_IDENTITY['remote-node'] && (card.name === endpoint.node || !namesNode(card));
    case 'unknown':
      return endpoint.namespace === '' && (endpoint.identity === 0 || endpoint.address === card.name);
  }
}

/** A card for every node is named after it; one card for all of them after the identity. */
function namesNode(card: Selection): boolean {
  return card.name !== 'host' && card.name !== 'remote-node' && card.name !== '';
}
