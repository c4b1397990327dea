import { vocabulary } from '../vocabulary/vocabulary.ts';

/** Identities that stand for no label set of the cluster. Numbers and names as in Hubble. */
export const RESERVED_IDENTITY = {
  unknown: 0,
  host: 1,
  world: 2,
  unmanaged: 3,
  health: 4,
  init: 5,
  'remote-node': 6,
  'kube-apiserver': 7,
  ingress: 8,
  'world-ipv4': 9,
  'world-ipv6': 10,
} as const;

export const reservedIdentities = vocabulary('reserved identity', RESERVED_IDENTITY);

/** True for the numbers below 256, which are never computed from labels. */
export function isReserved(identity: number): boolean {
  return identity > 0 && identity < 256;
}

/** Whether it stands for what is outside the cluster, of whichever IP family. */
export function isWorld(identity: number): boolean {
  return (
    identity === RESERVED_IDENTITY.world ||
    identity === RESERVED_IDENTITY['world-ipv4'] ||
    identity === RESERVED_IDENTITY['world-ipv6']
  );
}
