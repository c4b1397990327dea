import type { Kind } from '../cluster/objects.ts';
import type { Collection } from './list-watch.ts';

/** Finished pods have given their addresses back. */
const LIVING = 'status.phase!=Succeeded,status.phase!=Failed';
/** As kube-proxy selects them: the slices of Services that have an address, and that are balanced by whoever does so. */
const BALANCED = '!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name';

/** Where each kind is in the API, and which part of it an agent or a backend needs. */
export const RESOURCES: Readonly<Record<Kind, Collection>> = {
  Namespace: { path: '/api/v1/namespaces', metadataOnly: true },
  Node: { path: '/api/v1/nodes' },
  NetworkPolicy: { path: '/apis/networking.k8s.io/v1/networkpolicies' },
  CiliumNetworkPolicy: { path: '/apis/cilium.io/v2/ciliumnetworkpolicies', optional: true },
  CiliumClusterwideNetworkPolicy: { path: '/apis/cilium.io/v2/ciliumclusterwidenetworkpolicies', optional: true },
  ReplicaSet: { path: '/apis/apps/v1/replicasets', metadataOnly: true },
  Job: { path: '/apis/batch/v1/jobs', metadataOnly: true },
  Pod: { path: '/api/v1/pods', fieldSelector: LIVING },
  // Part of every cluster from 1.33 on.
  ServiceCIDR: { path: '/apis/networking.k8s.io/v1/servicecidrs', optional: true },
  Service: { path: '/api/v1/services' },
  EndpointSlice: { path: '/apis/discovery.k8s.io/v1/endpointslices', labelSelector: BALANCED },
};

/** `v1`, `networking.k8s.io/v1`: the version in which a kind is asked for. */
export function apiVersionOf(kind: Kind): string {
  const [, root, ...parts] = RESOURCES[kind].path.split('/');
  return parts.slice(0, root === 'api' ? 1 : 2).join('/');
}
