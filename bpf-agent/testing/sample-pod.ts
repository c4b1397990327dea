import type { PodDescription } from '#runtime/cluster/pod-description.ts';

/** A pod of namespace `shop` on node `n1`, for specs that look at some of its fields only. */
export function samplePod(name: string, more: Partial<PodDescription> = {}): PodDescription {
  return {
    uid: name,
    cgroupUid: name,
    namespace: 'shop',
    name,
    node: 'n1',
    finished: false,
    addresses: [],
    identity: 0x4000_0001,
    workload: { kind: 'Pod', name },
    labels: [],
    labelSet: {
      cluster: 'lab',
      namespace: 'shop',
      namespaceLabels: {},
      podLabels: {},
      serviceAccount: '',
      namedPorts: [],
    },
    ...more,
  };
}
