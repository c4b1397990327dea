import { KINDS } from '../manifest/kinds.ts';
import { deleteObject } from '../store/delete.ts';
import { controllerOf, type Namespace } from '../store/objects.ts';
import type { Controller } from './control-loop.ts';

/** Removes what lost its owner, and a deleted namespace with everything in it. */
export const garbageCollector: Controller = {
  kinds: KINDS.map(({ kind }) => kind),
  reconcile(store) {
    const namespaced = KINDS.filter((kind) => kind.namespaced);
    const contents = namespaced.flatMap(({ kind }) => store.list(kind));
    const uids = new Set(contents.map((object) => object.metadata.uid));
    for (const object of contents) {
      const owner = controllerOf(object);
      if (owner && !uids.has(owner.uid)) deleteObject(store, object);
    }
    for (const namespace of store.list<Namespace>('Namespace')) {
      if (!namespace.metadata.deletionTimestamp) continue;
      const inside = contents.filter((object) => object.metadata.namespace === namespace.metadata.name);
      for (const object of inside) deleteObject(store, object);
      if (inside.length === 0) store.remove(namespace);
    }
  },
};
