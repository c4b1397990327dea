import { isDeepStrictEqual } from 'node:util';
import type { ObjectStore } from '../store/object-store.ts';
import { controllerOf, isPodFinished, isPodReady, type KubeObject, type Pod } from '../store/objects.ts';

/** Objects of a kind by the uid of the controller that owns them. */
export function byOwner<T extends KubeObject>(objects: T[]): Map<string, T[]> {
  const owned = new Map<string, T[]>();
  for (const object of objects) {
    const uid = controllerOf(object)?.uid;
    if (uid === undefined) continue;
    const siblings = owned.get(uid);
    if (siblings) siblings.push(object);
    else owned.set(uid, [object]);
  }
  return owned;
}

/** Pods that count for their workload: neither on their way out nor ended. */
export function activePods(pods: Pod[] = []): Pod[] {
  return pods.filter((pod) => !pod.metadata.deletionTimestamp && !isPodFinished(pod));
}

/** Orders pods by how little is lost without them: unscheduled, then not ready, then the youngest first. */
export function leastMissedFirst(pods: Pod[]): Pod[] {
  const rank = (pod: Pod): number => (pod.spec.nodeName === undefined ? 0 : isPodReady(pod) ? 2 : 1);
  const age = (pod: Pod): number => Number(pod.metadata.resourceVersion);
  return [...pods].sort((a, b) => rank(a) - rank(b) || age(b) - age(a));
}

/** Writes a status if it differs: an equal one must not wake the controllers again. */
export function updateStatus<T extends KubeObject>(store: ObjectStore, object: T, status: T['status']): void {
  if (!isDeepStrictEqual(object.status, status)) store.put({ ...object, status });
}
