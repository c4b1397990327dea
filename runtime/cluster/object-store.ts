import { type ClusterObject, type ClusterObjects, isClusterScoped, KINDS, type Kind } from './objects.ts';
import type { ClusterChange } from './source.ts';

/** The snapshot behind a cluster source: objects by kind, namespace and name, and who wants to hear of changes. */
export class ObjectStore {
  readonly #objects = new Map<Kind, Map<string, ClusterObject>>(KINDS.map((kind) => [kind, new Map()]));
  readonly #listeners = new Set<(change: ClusterChange) => void>();

  list<K extends Kind>(kind: K): ClusterObjects[K][] {
    return [...this.#kind(kind).values()];
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): ClusterObjects[K] | undefined {
    return this.#kind(kind).get(objectKey(kind, namespace, name));
  }

  set(object: ClusterObject): void {
    const { kind, metadata } = object;
    const objects = this.#kind(kind);
    const key = objectKey(kind, metadata.namespace, metadata.name);
    const old = objects.get(key);
    objects.set(key, object);
    this.#tell({ kind, old, new: object } as ClusterChange);
  }

  delete(kind: Kind, namespace: string, name: string): void {
    const objects = this.#kind(kind);
    const key = objectKey(kind, namespace, name);
    const old = objects.get(key);
    if (old === undefined) return;
    objects.delete(key);
    this.#tell({ kind, old } as ClusterChange);
  }

  onChange(listener: (change: ClusterChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(change: ClusterChange): void {
    for (const listener of this.#listeners) listener(change);
  }

  #kind<K extends Kind>(kind: K): Map<string, ClusterObjects[K]> {
    return this.#objects.get(kind) as unknown as Map<string, ClusterObjects[K]>;
  }
}

function objectKey(kind: Kind, namespace: string, name: string): string {
  return isClusterScoped(kind) ? name : `${namespace}/${name}`;
}
