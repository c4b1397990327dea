import { expect, test } from 'vitest';
import type { Pod } from '#runtime/cluster/objects.ts';
import type { ClusterChange, ClusterSource } from '#runtime/cluster/source.ts';
import { ReplicaCounts } from './replica-counts.ts';

function pod(name: string, node: string, phase = 'Running'): Pod {
  return {
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'shop',
      uid: name,
      labels: { 'pod-template-hash': 'x1' },
      annotations: {},
      ownerReferences: [{ kind: 'ReplicaSet', name: 'web-x1' }],
    },
    spec: { nodeName: node, hostNetwork: false, serviceAccountName: '', containers: [] },
    status: { phase, podIPs: [], containerStatuses: [] },
  };
}

test('counts the pods of a workload, in all and per node, as they come and go', () => {
  const pods = [pod('web-a', 'node1'), pod('web-b', 'node2'), pod('web-done', 'node2', 'Succeeded')];
  let listener: (change: ClusterChange) => void = () => {};
  const source = {
    list: () => pods,
    get: () => undefined,
    onChange: (each: typeof listener) => {
      listener = each;
      return () => {};
    },
  } as unknown as ClusterSource;
  const counts = new ReplicaCounts(source);
  const seen = () => ['', 'node1', 'node2'].map((node) => counts.of('shop', 'Deployment', 'web', node));
  expect(seen()).toEqual([2, 1, 1]);
  listener({ kind: 'Pod', new: pod('web-c', 'node2') });
  listener({ kind: 'Pod', old: pod('web-c', ''), new: pod('web-c', 'node2') });
  expect(seen()).toEqual([3, 1, 2]);
  listener({ kind: 'Pod', old: pods[0] });
  listener({ kind: 'Pod', old: pods[1], new: pod('web-b', 'node2', 'Failed') });
  expect(seen()).toEqual([1, 0, 1]);
});
