import { parseCidr } from '../ip/cidr.ts';
import type { PeerMatch } from './policy.ts';
import { RESERVED_LABEL, requirement, selector } from './selector.ts';

function reserved(name: string): PeerMatch {
  return { kind: 'labels', selector: selector([requirement(`${RESERVED_LABEL}${name}`, 'Exists')]) };
}

/**
 * Cilium's entities (https://docs.cilium.io/en/stable/security/policy/layer3/#entities-based). `world` of one address family
 * is by definition all of that family's addresses outside the cluster.
 */
export const ENTITIES: Readonly<Record<string, PeerMatch>> = {
  all: { kind: 'everybody' },
  cluster: { kind: 'cluster' },
  world: reserved('world'),
  'world-ipv4': { kind: 'cidr', cidr: parseCidr('0.0.0.0/0')!, except: [], cluster: false },
  'world-ipv6': { kind: 'cidr', cidr: parseCidr('::/0')!, except: [], cluster: false },
  host: reserved('host'),
  'remote-node': reserved('remote-node'),
  'kube-apiserver': reserved('kube-apiserver'),
  ingress: reserved('ingress'),
  init: reserved('init'),
  health: reserved('health'),
  unmanaged: reserved('unmanaged'),
  // Can be selected and never exists.
  none: reserved('none'),
};
