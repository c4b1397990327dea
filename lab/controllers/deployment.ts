import { deleteObject } from '../store/delete.ts';
import { newMetadata, type ObjectStore } from '../store/object-store.ts';
import { type Deployment, isPodReady, ownedBy, type Pod, type ReplicaSet } from '../store/objects.ts';
import type { Controller } from './control-loop.ts';
import { activePods, byOwner, leastMissedFirst, updateStatus } from './owned.ts';
import { podFromTemplate, templateHash } from './pod-template.ts';

/** One ReplicaSet per template a Deployment has had and still has pods of. */
export const deploymentController: Controller = {
  kinds: ['Deployment', 'ReplicaSet'],
  reconcile(store) {
    const replicaSets = byOwner(store.list<ReplicaSet>('ReplicaSet'));
    for (const deployment of store.list<Deployment>('Deployment')) {
      rollOut(store, deployment, replicaSets.get(deployment.metadata.uid) ?? []);
    }
  },
};

function rollOut(store: ObjectStore, deployment: Deployment, owned: ReplicaSet[]): void {
  const { replicas, template, strategy } = deployment.spec;
  const hash = templateHash(template);
  const current = owned.find((set) => set.metadata.labels?.['pod-template-hash'] === hash);
  const older = owned.filter((set) => set !== current);
  const olderPods = older.reduce((sum, set) => sum + set.status.replicas, 0);
  if (!current) {
    // Recreate lets the old pods go first; otherwise new ones come up beside them.
    if (strategy?.type !== 'Recreate' || olderPods === 0) store.put(newReplicaSet(deployment, hash));
    else for (const set of older) resize(store, set, 0);
    return;
  }
  resize(store, current, replicas);
  // The old pods leave as the new ones become ready, so that the sum of ready pods never falls below the wish.
  let spare = Math.max(0, replicas - current.status.readyReplicas);
  for (const set of older) {
    const keep = Math.min(set.spec.replicas, spare);
    spare -= keep;
    if (keep === 0 && set.status.replicas === 0) store.remove(set);
    else resize(store, set, keep);
  }
  const ready = owned.reduce((sum, set) => sum + set.status.readyReplicas, 0);
  updateStatus(store, deployment, {
    replicas: current.status.replicas + olderPods,
    readyReplicas: ready,
    updatedReplicas: current.status.replicas,
    availableReplicas: ready,
  });
}

function resize(store: ObjectStore, set: ReplicaSet, replicas: number): void {
  if (set.spec.replicas !== replicas) store.put({ ...set, spec: { ...set.spec, replicas } });
}

function newReplicaSet(deployment: Deployment, hash: string): ReplicaSet {
  const { replicas, selector, template } = deployment.spec;
  const mark = { 'pod-template-hash': hash };
  const labels = { ...template.metadata?.labels, ...mark };
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: newMetadata({
      name: `${deployment.metadata.name}-${hash}`,
      namespace: deployment.metadata.namespace,
      labels,
      ownerReferences: [ownedBy(deployment)],
    }),
    spec: {
      replicas,
      selector: { ...selector, matchLabels: { ...selector.matchLabels, ...mark } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
    status: { replicas: 0, readyReplicas: 0 },
  };
}

/** As many pods as each ReplicaSet asks for. */
export const replicaSetController: Controller = {
  kinds: ['ReplicaSet', 'Pod'],
  reconcile(store) {
    const pods = byOwner(store.list<Pod>('Pod'));
    for (const set of store.list<ReplicaSet>('ReplicaSet')) {
      const active = activePods(pods.get(set.metadata.uid));
      for (let missing = set.spec.replicas - active.length; missing > 0; missing--) {
        active.push(store.put(podFromTemplate(set, set.spec.template)));
      }
      const surplus = leastMissedFirst(active).slice(0, Math.max(0, active.length - set.spec.replicas));
      for (const pod of surplus) deleteObject(store, pod);
      const left = active.filter((pod) => !surplus.includes(pod));
      const status = { replicas: left.length, readyReplicas: left.filter(isPodReady).length };
      updateStatus(
        store,
        store.get<ReplicaSet>('ReplicaSet', set.metadata.namespace, set.metadata.name) ?? set,
        status,
      );
    }
  },
};
