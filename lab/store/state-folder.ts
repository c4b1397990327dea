import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ObjectStore } from './object-store.ts';
import type { KubeObject } from './objects.ts';

/** Folder name that stands for a namespace with cluster-wide objects; no namespace can be called so. */
export const CLUSTER_FOLDER = '_cluster';

export function objectPath(stateDir: string, object: KubeObject): string {
  const { namespace, name } = object.metadata;
  return join(stateDir, object.kind, namespace ?? CLUSTER_FOLDER, `${name}.yaml`);
}

/**
 * Mirrors a store into a folder, one file per object, each written beside its place and renamed into it: who watches
 * the folder sees whole objects only. Several changes of an object within one turn of the event loop are one write.
 */
export class StateFolder {
  readonly #dir: string;
  readonly #pending = new Map<string, KubeObject | undefined>();
  #scheduled = false;

  constructor(dir: string, store: ObjectStore) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
    store.subscribe(({ object, removed }) => {
      this.#pending.set(objectPath(this.#dir, object), removed ? undefined : object);
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.flush());
    });
  }

  /** Writes everything changed so far. When it returns, the folder says what the store says. */
  flush(): void {
    this.#scheduled = false;
    for (const [path, object] of this.#pending) {
      if (object) write(path, object);
      else rmSync(path, { force: true });
    }
    this.#pending.clear();
  }
}

function write(path: string, object: KubeObject): void {
  const folder = dirname(path);
  const temporary = join(folder, `.${object.metadata.name}.tmp`);
  // JSON is YAML, and both writing and reading it is many times faster.
  const text = `${JSON.stringify(object, null, 2)}\n`;
  try {
    writeFileSync(temporary, text);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    mkdirSync(folder, { recursive: true });
    writeFileSync(temporary, text);
  }
  renameSync(temporary, path);
}
