import { parseCidr } from '../ip/cidr.ts';
import type { PolicyCluster, PolicyService } from './cluster.ts';
import type { IdentityIndex, Members } from './identity-index.ts';
import { CLUSTER_ENTITIES } from './identity-labels.ts';
import type { CidrMatch, Rule, ServiceMatch } from './policy.ts';
import {
  IN_CLUSTER,
  IN_NAMESPACE,
  POD_LABEL,
  RESERVED_LABEL,
  requirement,
  type Selector,
  selector,
  selects,
} from './selector.ts';

/** A rule's peers, as far as identities and addresses go. */
export interface ResolvedPeers {
  readonly everybody: boolean;
  /** Undefined = none by identity. */
  readonly members: Members | undefined;
  readonly cidrs: readonly CidrMatch[];
}

const EVERYBODY: ResolvedPeers = { everybody: true, members: undefined, cidrs: [] };

/** An address of the pods' ranges that no pod is known to have, or not yet. */
const UNMANAGED = selector([requirement(`${RESERVED_LABEL}unmanaged`, 'Exists')]);

/**
 * Turns what a rule says about peers into members of the index and ranges of addresses. A deny rule about pods is also about
 * those that are not known yet: one of them may be meant.
 */
export function resolvePeers(
  { peers, deny }: Pick<Rule, 'peers' | 'deny'>,
  index: IdentityIndex,
  cluster: PolicyCluster,
): ResolvedPeers {
  if (peers === undefined) return EVERYBODY;
  let everybody = false;
  const selectors: Selector[] = [];
  const cidrs: CidrMatch[] = [];
  for (const peer of peers) {
    switch (peer.kind) {
      case 'everybody':
        everybody = true;
        break;
      case 'labels':
        selectors.push(peer.selector);
        break;
      case 'cluster':
        selectors.push(...clusterSelectors(cluster.name));
        break;
      case 'cidr':
        cidrs.push(peer);
        break;
      case 'service':
        for (const service of cluster.services) {
          if (!isMeant(peer, service)) continue;
          if (Object.keys(service.selector).length > 0) selectors.push(backendPods(service));
          else cidrs.push(...backendAddresses(service));
        }
    }
  }
  if (deny && selectors.some(mayBePods)) selectors.push(UNMANAGED);
  return { everybody, members: union(selectors, index), cidrs };
}

/** False for a selector that is about what stands for no pod: `reserved:host`. */
function mayBePods({ requirements }: Selector): boolean {
  return requirements.every(
    ({ key, operator }) => !key.startsWith(RESERVED_LABEL) || operator === 'NotIn' || operator === 'DoesNotExist',
  );
}

/** Whether a `toServices` entry is about this Service. */
export function isMeant({ namespace, name, labels }: ServiceMatch, service: PolicyService): boolean {
  return (
    (namespace === undefined || namespace === service.namespace) &&
    (name === undefined || name === service.name) &&
    (labels === undefined || selects(labels, new Map(Object.entries(service.labels))))
  );
}

function clusterSelectors(name: string): Selector[] {
  return [
    selector([requirement(IN_CLUSTER, 'In', [name])]),
    ...CLUSTER_ENTITIES.map((entity) => selector([requirement(`${RESERVED_LABEL}${entity}`, 'Exists')])),
  ];
}

function backendPods({ namespace, selector: labels }: PolicyService): Selector {
  return selector([
    requirement(IN_NAMESPACE, 'In', [namespace]),
    ...Object.entries(labels).map(([key, value]) => requirement(`${POD_LABEL}${key}`, 'In', [value])),
  ]);
}

/** CIDRs never select pods, and that holds for these as well. */
function backendAddresses({ addresses }: PolicyService): CidrMatch[] {
  return addresses.flatMap((address) => {
    const cidr = parseCidr(address);
    return cidr === undefined ? [] : [{ kind: 'cidr' as const, cidr, except: [], cluster: false }];
  });
}

function union(selectors: readonly Selector[], index: IdentityIndex): Members | undefined {
  const all = selectors.map((entry) => index.members(entry)).filter(({ list }) => list.length > 0);
  if (all.length <= 1) return all[0];
  const has = new Uint8Array(index.numbers.length);
  for (const { list } of all) for (const member of list) has[member] = 1;
  const list: number[] = [];
  for (let member = 0; member < has.length; member++) if (has[member] === 1) list.push(member);
  return { list, has };
}
