import { isIP } from 'node:net';
import type { Node } from './objects.ts';

/**
 * The address at which a node's agent listens: its first internal one, of the family that comes first in the cluster, as in
 * `status.hostIP` of the pods there. Undefined while the node has none.
 */
export function primaryAddress({ status }: Node): string | undefined {
  return status.addresses.find(({ type, address }) => type === 'InternalIP' && isIP(address) !== 0)?.address;
}
