import type { ServiceView } from '#core/service/resolve-service.ts';
import { WEIGHT_ANNOTATION } from '#core/service/service.ts';
import type { Node, Pod } from '#runtime/cluster/objects.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';

const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** How a node looks at Services, by what is known of the cluster now. */
export function nodeView(source: ClusterSource, node: string): ServiceView {
  const own = source.get('Node', '', node);
  return {
    node,
    zone: own?.metadata.labels[ZONE_LABEL] ?? '',
    nodeAddresses: source.list('Node').flatMap(internalAddresses),
    ownAddresses: own === undefined ? [] : internalAddresses(own),
    weightOf: (namespace, pod) => weightOf(source.get('Pod', namespace, pod)),
  };
}

export function isSameView(a: ServiceView, b: ServiceView): boolean {
  return (
    a.zone === b.zone &&
    a.nodeAddresses.join() === b.nodeAddresses.join() &&
    a.ownAddresses?.join() === b.ownAddresses?.join()
  );
}

/** What a pod asks for, as it is written. */
export function weightText(pod: Pod | undefined): string | undefined {
  return pod?.metadata.annotations[WEIGHT_ANNOTATION];
}

function weightOf(pod: Pod | undefined): number {
  const text = weightText(pod);
  return text !== undefined && /^(?:\d{1,2}|100)$/.test(text) ? Number(text) : 1;
}

function internalAddresses({ status }: Node): string[] {
  return status.addresses.flatMap(({ type, address }) => (type === 'InternalIP' ? address : []));
}
