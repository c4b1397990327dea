import type { Endpoint } from '#core/flow/endpoint.ts';
import { NO_ENDPOINT } from '#core/flow/endpoint.ts';
import { identityLabels } from '#core/identity/label-set.ts';

export const MIX_CLUSTER = 'default';

export interface MixPod {
  readonly node: number;
  readonly workload: number;
  /** Position among the pods of its node, from 0. */
  readonly slot: number;
  readonly address: string;
  readonly identity: number;
  readonly namespace: string;
  readonly labels: readonly string[];
  readonly name: string;
  readonly workloadName: string;
}

export interface MixCluster {
  readonly nodes: number;
  readonly workloads: number;
  readonly pods: readonly MixPod[];
}

/**
 * A cluster for measurements without one: workloads of five pods spread over the nodes, ten workloads to a namespace,
 * with the labels that a Deployment from a Helm chart carries.
 */
export function mixCluster(nodes: number, podsPerNode: number): MixCluster {
  const workloads = Math.max(2, Math.ceil((nodes * podsPerNode) / 5));
  const labels: string[][] = [];
  const pods = Array.from({ length: nodes * podsPerNode }, (_, index): MixPod => {
    const node = index % nodes;
    const slot = Math.floor(index / nodes);
    const workload = index % workloads;
    const workloadName = `service-${workload}`;
    const namespace = `team-${Math.floor(workload / 10)}`;
    labels[workload] ??= identityLabels({
      cluster: MIX_CLUSTER,
      namespace,
      namespaceLabels: { 'kubernetes.io/metadata.name': namespace },
      podLabels: {
        'app.kubernetes.io/name': workloadName,
        'app.kubernetes.io/instance': `${workloadName}-${namespace}`,
        'app.kubernetes.io/version': '1.4.2',
        'app.kubernetes.io/part-of': namespace,
      },
      serviceAccount: workloadName,
      namedPorts: [],
    });
    return {
      node,
      workload,
      slot,
      address: `10.${node >> 8}.${node & 255}.${slot + 2}`,
      identity: 0x40000000 + workload * 7919,
      namespace,
      labels: labels[workload],
      name: `${workloadName}-${hex(workload, 10)}-${hex(index, 5)}`,
      workloadName,
    };
  });
  return { nodes, workloads, pods };
}

/** The pod as the agent of `observer` tells it: only that node's own pods have an interface. */
export function podEndpoint(pod: MixPod, observer: number): Endpoint {
  const own = pod.node === observer;
  return {
    address: pod.address,
    identity: pod.identity,
    cluster: MIX_CLUSTER,
    namespace: pod.namespace,
    pod: pod.name,
    workloadKind: 'Deployment',
    workloadName: pod.workloadName,
    labels: pod.labels,
    names: [],
    node: nodeName(pod.node),
    interfaceIndex: own ? pod.slot + 3 : 0,
    interfaceName: own ? `wg${hex(pod.slot + pod.node * 1024, 12)}` : '',
    id: own ? pod.slot + 1 : 0,
  };
}

export function worldEndpoint(number: number): Endpoint {
  const address = `198.${18 + ((number >> 16) & 1)}.${(number >> 8) & 255}.${number & 255}`;
  return { ...NO_ENDPOINT, address, identity: 2, labels: ['reserved:world'] };
}

export function nodeName(node: number): string {
  return `node-${node + 1}`;
}

/** Text that looks like a hash and differs for different numbers. */
function hex(number: number, length: number): string {
  return (Math.imul(number + 1, 2654435761) >>> 0).toString(16).padStart(length, '7').slice(-length);
}
