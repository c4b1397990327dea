import type { Endpoint } from '#core/flow/endpoint.ts';
import { isWorld, RESERVED_IDENTITY, reservedIdentities } from '#core/identity/reserved.ts';

/** What to call an endpoint in a row: its workload, else its pod, else a DNS name, else its address. */
export function endpointName(endpoint: Endpoint): string {
  return (
    endpoint.workloadName ||
    endpoint.pod ||
    (endpoint.identity === RESERVED_IDENTITY.host || endpoint.identity === RESERVED_IDENTITY['remote-node']
      ? endpoint.node
      : '') ||
    endpoint.names[0] ||
    endpoint.address ||
    '–'
  );
}

/** Where it belongs: its namespace, or the reserved identity's name for what has none. */
export function endpointRealm(endpoint: Endpoint): string {
  if (endpoint.namespace !== '') return endpoint.namespace;
  if (isWorld(endpoint.identity)) return 'world';
  return endpoint.identity > 0 && endpoint.identity < 256 ? reservedIdentities.name(endpoint.identity) : '';
}
