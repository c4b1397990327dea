import { randomUUID } from 'node:crypto';
import type { KubeObject, ObjectMeta } from './objects.ts';

export interface Change {
  kind: string;
  object: KubeObject;
  removed: boolean;
}

/** The lab's API server: every object by kind, namespace and name. Objects in it are never edited, only replaced. */
export class ObjectStore {
  readonly #kinds = new Map<string, Map<string, KubeObject>>();
  readonly #listeners = new Set<(change: Change) => void>();
  #version = 0;

  get<T extends KubeObject>(kind: T['kind'], namespace: string | undefined, name: string): T | undefined {
    return this.#kinds.get(kind)?.get(key(namespace, name)) as T | undefined;
  }

  list<T extends KubeObject>(kind: T['kind'], namespace?: string): T[] {
    const all = [...(this.#kinds.get(kind)?.values() ?? [])] as T[];
    return namespace === undefined ? all : all.filter((object) => object.metadata.namespace === namespace);
  }

  /** Adds or replaces an object and tells the listeners. Returns it with its new resourceVersion. */
  put<T extends KubeObject>(object: T): T {
    const metadata = { ...object.metadata, resourceVersion: String(++this.#version) };
    const stored = { ...object, metadata };
    let objects = this.#kinds.get(object.kind);
    if (!objects) {
      objects = new Map();
      this.#kinds.set(object.kind, objects);
    }
    objects.set(key(metadata.namespace, metadata.name), stored);
    this.#tell({ kind: object.kind, object: stored, removed: false });
    return stored;
  }

  remove(object: KubeObject): void {
    const { namespace, name, uid } = object.metadata;
    const objects = this.#kinds.get(object.kind);
    const found = objects?.get(key(namespace, name));
    // Another object may have taken the name meanwhile; it is not the one meant.
    if (!objects || found?.metadata.uid !== uid) return;
    objects.delete(key(namespace, name));
    this.#tell({ kind: object.kind, object: found, removed: true });
  }

  /** Calls `listener` on every change from now on, in order. Returns the way to stop it. */
  subscribe(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }
}

/** Metadata as the API server completes it for a new object. */
export function newMetadata(given: Partial<ObjectMeta> & { name: string }): ObjectMeta {
  return {
    ...given,
    uid: randomUUID(),
    creationTimestamp: timestamp(),
    generation: 1,
    resourceVersion: '0',
  };
}

/** Now, in Kubernetes' form: RFC 3339 in whole seconds. */
export function timestamp(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}

function key(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}
