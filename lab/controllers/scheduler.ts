import { MAX_PODS_PER_NODE } from '../network/subnets.ts';
import { matchesLabels } from '../store/label-selector.ts';
import { timestamp } from '../store/object-store.ts';
import { controllerOf, isPodFinished, type Node, type Pod } from '../store/objects.ts';
import type { Controller } from './control-loop.ts';

/** Gives every pod a node: the one with the fewest pods of the same workload, then with the fewest pods at all. */
export const scheduler: Controller = {
  kinds: ['Pod', 'Node'],
  reconcile(store) {
    const pods = store.list<Pod>('Pod');
    const waiting = pods.filter((pod) => pod.spec.nodeName === undefined && !pod.metadata.deletionTimestamp);
    if (waiting.length === 0) return;
    const nodes = store.list<Node>('Node');
    const load = new Map(nodes.map((node) => [node.metadata.name, { total: 0, byOwner: new Map<string, number>() }]));
    for (const pod of pods) if (!isPodFinished(pod)) count(pod, load.get(pod.spec.nodeName ?? ''));
    for (const pod of waiting) {
      const owner = controllerOf(pod)?.uid ?? '';
      const [best] = nodes
        .filter((node) => matchesLabels(pod.spec.nodeSelector, node.metadata.labels))
        .map((node) => ({ name: node.metadata.name, use: load.get(node.metadata.name)! }))
        .filter(({ use }) => use.total < MAX_PODS_PER_NODE)
        .sort((a, b) => sameOwner(a.use, owner) - sameOwner(b.use, owner) || a.use.total - b.use.total);
      if (best) {
        count(pod, best.use);
        store.put({ ...pod, spec: { ...pod.spec, nodeName: best.name } });
      } else if (!pod.status.conditions) {
        const message = `0/${nodes.length} nodes are available: none matches the pod's node selector or has room`;
        const lastTransitionTime = timestamp();
        const conditions = [
          { type: 'PodScheduled', status: 'False' as const, reason: 'Unschedulable', message, lastTransitionTime },
        ];
        store.put({ ...pod, status: { ...pod.status, conditions } });
      }
    }
  },
};

interface NodeUse {
  total: number;
  byOwner: Map<string, number>;
}

function count(pod: Pod, use: NodeUse | undefined): void {
  if (!use) return;
  use.total++;
  const owner = controllerOf(pod)?.uid;
  if (owner !== undefined) use.byOwner.set(owner, sameOwner(use, owner) + 1);
}

function sameOwner(use: NodeUse, owner: string): number {
  return use.byOwner.get(owner) ?? 0;
}
