import { type ObjectStore, timestamp } from './object-store.ts';
import type { KubeObject, Namespace, Pod } from './objects.ts';

/**
 * Deletes an object as the API server does: a pod that runs somewhere and a namespace are marked and go once their
 * node, or their contents, let them; anything else goes at once and the garbage collector follows.
 */
export function deleteObject(store: ObjectStore, object: KubeObject): void {
  if (object.metadata.deletionTimestamp) return;
  const metadata = { ...object.metadata, deletionTimestamp: timestamp() };
  if (object.kind === 'Namespace') {
    const namespace: Namespace = { ...(object as Namespace), metadata, status: { phase: 'Terminating' } };
    store.put(namespace);
  } else if (object.kind === 'Pod' && (object as Pod).spec.nodeName !== undefined) {
    store.put({ ...object, metadata });
  } else {
    store.remove(object);
  }
}
