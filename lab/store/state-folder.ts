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

/** How soon what could not be written is tried again, in milliseconds. */
const RETRY_MS = 500;

/**
 * Mirrors a store into a folder, one file per object, each written beside its place and renamed into it: who watches
 * the folder sees whole objects only. Several changes of an object within one turn of the event loop are one write. What
 * cannot be written, as on a full disk, is tried again until it can; the files stand as they last were.
 */
export class StateFolder {
  readonly #dir: string;
  readonly #pending = new Map<string, KubeObject | undefined>();
  #scheduled = false;
  #retry: NodeJS.Timeout | undefined;
  #complaint = '';

  constructor(dir: string, store: ObjectStore) {
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
    store.subscribe(({ object, removed }) => {
      this.#pending.set(objectPath(this.#dir, object), removed ? undefined : object);
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.#write());
    });
  }

  /**
   * Writes everything changed so far. When it returns, the folder says what the store says; it throws when the folder cannot
   * be written, and will be once that is possible.
   */
  flush(): void {
    const failure = this.#write();
    if (failure !== undefined) throw new Error(`${failure}; what was asked for is done as soon as it can be`);
  }

  /** Returns why something could not be written, if so. */
  #write(): string | undefined {
    this.#scheduled = false;
    clearTimeout(this.#retry);
    let failure: string | undefined;
    for (const [path, object] of this.#pending) {
      try {
        if (object) write(path, object);
        else rmSync(path, { force: true });
        this.#pending.delete(path);
      } catch (error) {
        failure ??= `the lab's state cannot be written: ${(error as Error).message}`;
      }
    }
    if (failure !== undefined) {
      this.#retry = setTimeout(() => this.#write(), RETRY_MS);
      this.#retry.unref();
      if (failure !== this.#complaint) console.error(failure);
    }
    this.#complaint = failure ?? '';
    return failure;
  }
}

function write(path: string, object: KubeObject): void {
  const folder = dirname(path);
  const temporary = join(folder, `.${object.metadata.name}.tmp`);
  // JSON is YAML, and both writing and reading it is many times faster.
  const text = `${JSON.stringify(object, null, 2)}\n`;
  try {
    try {
      writeFileSync(temporary, text);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      mkdirSync(folder, { recursive: true });
      writeFileSync(temporary, text);
    }
    renameSync(temporary, path);
  } catch (error) {
    // Half a file is in the way of what could still be written.
    rmSync(temporary, { force: true });
    throw error;
  }
}
