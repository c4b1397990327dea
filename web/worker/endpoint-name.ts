import { givenName, isOutside } from '#core/card/card-name.ts';
import type { Endpoint } from '#core/flow/endpoint.ts';
import { RESERVED_IDENTITY, reservedIdentities } from '#core/identity/reserved.ts';

/** What to call an endpoint in a row: its workload, else its pod, else a name people gave to its address, else that. */
export function endpointName(endpoint: Endpoint): string {
  return (
    endpoint.workloadName ||
    endpoint.pod ||
    (endpoint.identity === RESERVED_IDENTITY.host || endpoint.identity === RESERVED_IDENTITY['remote-node']
      ? endpoint.node
      : '') ||
    (isOutside(endpoint) ? givenName(endpoint) : endpoint.names[0]) ||
    endpoint.address ||
    '–'
  );
}

/** Where it belongs: its namespace, or the reserved identity's name for what has none. */
export function endpointRealm(endpoint: Endpoint): string {
  if (endpoint.namespace !== '') return endpoint.namespace;
  if (isOutside(endpoint)) return 'world';
  return endpoint.identity > 0 && endpoint.identity < 256 ? reservedIdentities.name(endpoint.identity) : '';
}
