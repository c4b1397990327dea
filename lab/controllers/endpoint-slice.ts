import { isDeepStrictEqual } from 'node:util';
import { shortHash } from '../lab-layout.ts';
import { matchesLabels } from '../store/label-selector.ts';
import { newMetadata, type ObjectStore } from '../store/object-store.ts';
import {
  type Endpoint,
  type EndpointSlice,
  isPodFinished,
  isPodReady,
  ownedBy,
  type Pod,
  type Service,
  type ServicePort,
} from '../store/objects.ts';
import type { Controller } from './control-loop.ts';
import { byOwner } from './owned.ts';

const MANAGED_BY = 'endpointslice-controller.k8s.io';

/**
 * The endpoints of every Service with a selector: one slice per address family and per set of port numbers, as pods of
 * one Service may give a named port different numbers.
 */
export const endpointSliceController: Controller = {
  kinds: ['Service', 'Pod', 'EndpointSlice'],
  reconcile(store) {
    const podsByNamespace = Map.groupBy(store.list<Pod>('Pod'), (pod) => pod.metadata.namespace);
    const slices = byOwner(store.list<EndpointSlice>('EndpointSlice'));
    for (const service of store.list<Service>('Service')) {
      const { selector, type } = service.spec;
      if (type === 'ExternalName' || !selector || Object.keys(selector).length === 0) continue;
      const pods = (podsByNamespace.get(service.metadata.namespace) ?? []).filter(
        (pod) => pod.status.podIPs && !isPodFinished(pod) && matchesLabels(selector, pod.metadata.labels),
      );
      replaceSlices(store, slices.get(service.metadata.uid) ?? [], wantedSlices(service, pods));
    }
  },
};

function replaceSlices(store: ObjectStore, existing: EndpointSlice[], wanted: EndpointSlice[]): void {
  for (const slice of wanted) {
    const before = existing.find((candidate) => candidate.metadata.name === slice.metadata.name);
    if (!before) store.put(slice);
    else if (!isDeepStrictEqual(before.endpoints, slice.endpoints))
      store.put({ ...before, endpoints: slice.endpoints });
  }
  for (const slice of existing) {
    if (!wanted.some((candidate) => candidate.metadata.name === slice.metadata.name)) store.remove(slice);
  }
}

export function wantedSlices(service: Service, pods: Pod[]): EndpointSlice[] {
  const families = service.spec.ipFamilies ?? ['IPv4'];
  const ordered = [...pods].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return families.flatMap((family) => {
    const groups = new Map<string, { ports: EndpointSlice['ports']; endpoints: Endpoint[] }>();
    for (const pod of ordered) {
      const address = pod.status.podIPs?.find(({ ip }) => ip.includes(':') === (family === 'IPv6'))?.ip;
      if (address === undefined) continue;
      const ports = (service.spec.ports ?? []).flatMap((port) => resolvedPort(port, pod));
      const key = JSON.stringify(ports);
      const group = groups.get(key) ?? { ports, endpoints: [] };
      group.endpoints.push(endpoint(service, pod, address));
      groups.set(key, group);
    }
    // A Service without pods still has one slice, empty, as in Kubernetes.
    if (groups.size === 0) groups.set('', { ports: [], endpoints: [] });
    return [...groups].map(([key, group]) => slice(service, family as 'IPv4' | 'IPv6', key, group));
  });
}

function slice(
  service: Service,
  addressType: 'IPv4' | 'IPv6',
  key: string,
  { ports, endpoints }: { ports: EndpointSlice['ports']; endpoints: Endpoint[] },
): EndpointSlice {
  const { name, namespace, labels } = service.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: newMetadata({
      name: `${name}-${shortHash(`${addressType} ${key}`, 5)}`,
      namespace,
      labels: {
        ...labels,
        'kubernetes.io/service-name': name,
        'endpointslice.kubernetes.io/managed-by': MANAGED_BY,
      },
      ownerReferences: [ownedBy(service)],
    }),
    addressType,
    endpoints,
    ports,
  };
}

/** A Service's port as this pod serves it; nothing when the pod has no port of that name. */
function resolvedPort(port: ServicePort, pod: Pod): EndpointSlice['ports'] {
  const { name = '', protocol = 'TCP', targetPort = port.port } = port;
  if (typeof targetPort === 'number') return [{ name, port: targetPort, protocol }];
  const named = pod.spec.containers
    .flatMap((container) => container.ports ?? [])
    .find((candidate) => candidate.name === targetPort && (candidate.protocol ?? 'TCP') === protocol);
  return named ? [{ name, port: named.containerPort, protocol }] : [];
}

function endpoint(service: Service, pod: Pod, address: string): Endpoint {
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const serving = isPodReady(pod);
  const { hostname, subdomain, nodeName } = pod.spec;
  return {
    addresses: [address],
    conditions: {
      ready: (serving && !terminating) || service.spec.publishNotReadyAddresses === true,
      serving,
      terminating,
    },
    ...(hostname !== undefined && subdomain === service.metadata.name ? { hostname } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: {
      kind: 'Pod',
      namespace: pod.metadata.namespace ?? '',
      name: pod.metadata.name,
      uid: pod.metadata.uid,
    },
  };
}
