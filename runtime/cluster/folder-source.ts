import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
import { LineCounter, parseDocument } from 'yaml';
import { ObjectStore } from './object-store.ts';
import { type ClusterObject, type ClusterObjects, isClusterScoped, KINDS, type Kind } from './objects.ts';
import { readObject } from './read-object.ts';
import type { ClusterChange, ClusterProblem, ClusterSource } from './source.ts';

// The watcher is fast, but the system may drop events (a full inotify queue, no watches left); a look at the folder finds what
// it missed. Only files whose modification time, size or inode changed are read again.
const RESCAN_MS = 2_000;
// An object of the API is at most 1.5 MiB.
const MAX_FILE_BYTES = 2 * 1024 * 1024;

interface Place {
  readonly kind: Kind;
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
}

interface FileState extends Place {
  /** Inode, size and modification time when it was last read. */
  signature: string;
  digest: string;
}

/**
 * Cluster state from a folder, one object per file: `<folder>/<Kind>/<namespace or _cluster>/<name>.yaml`. Writers put a file
 * in place by renaming a dot-file. A change is seen within 100 ms. Files of unknown kinds and dot-files are ignored. A file
 * that cannot be used is a problem under its path, and the object stays as it was last good.
 */
export class FolderSource implements ClusterSource {
  readonly #folder: string;
  readonly #store = new ObjectStore();
  readonly #files = new Map<string, FileState>();
  readonly #problems = new Map<string, string>();
  /** Since when the folder as a whole cannot be read, in milliseconds since 1970. */
  #brokenMs = 0;
  readonly #dirty = new Set<string>();
  #reading: Promise<void> | undefined;
  #watcher: FSWatcher | undefined;
  #rescan: NodeJS.Timeout | undefined;
  #stopped = false;
  #unread = true;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async start(): Promise<void> {
    // Watching begins before the first read, so that nothing falls between.
    this.#watcher = watch(this.#folder, {
      ignored: (path) => path !== this.#folder && isHidden(path),
      ignoreInitial: true,
      // Its 100 ms of patience for editors that unlink and write again; our writers rename.
      atomic: false,
    });
    this.#watcher.on('all', (_event, path) => this.#changed(path));
    this.#watcher.on('error', (error) => this.#broken(`cannot be watched: ${(error as Error).message}`));
    await new Promise<void>((resolve) => this.#watcher?.once('ready', resolve));
    await this.#scan();
    this.#scheduleRescan();
  }

  get unread(): boolean {
    return this.#unread;
  }

  list<K extends Kind>(kind: K): ClusterObjects[K][] {
    return this.#store.list(kind);
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): ClusterObjects[K] | undefined {
    return this.#store.get(kind, namespace, name);
  }

  onChange(listener: (change: ClusterChange) => void): () => void {
    return this.#store.onChange(listener);
  }

  problems(): ClusterProblem[] {
    return [...this.#problems].map(([subject, message]) => {
      if (subject !== this.#folder) return { subject, message, object: this.#place(subject) };
      return { subject, message, stale: { sinceMs: this.#unread ? undefined : this.#brokenMs, reason: message } };
    });
  }

  #broken(message: string): void {
    if (!this.#problems.has(this.#folder)) this.#brokenMs = Date.now();
    this.#problems.set(this.#folder, message);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#rescan);
    this.#dirty.clear();
    await this.#watcher?.close();
    await this.#reading;
  }

  #scheduleRescan(): void {
    if (this.#stopped) return;
    this.#rescan = setTimeout(() => void this.#scan().finally(() => this.#scheduleRescan()), RESCAN_MS);
    this.#rescan.unref();
  }

  /** Resolves when the file has been read. */
  #changed(path: string): Promise<void> {
    if (this.#stopped || this.#place(path) === undefined) return Promise.resolve();
    this.#dirty.add(path);
    // One reader at a time: two reads of one file could finish in the wrong order.
    this.#reading ??= this.#readDirty();
    return this.#reading;
  }

  async #readDirty(): Promise<void> {
    for (const path of this.#dirty) {
      this.#dirty.delete(path);
      await this.#read(path);
    }
    // In the same breath as the loop's end, so that a path added after it starts a new reading.
    this.#reading = undefined;
  }

  async #scan(): Promise<void> {
    const found = new Set<string>();
    try {
      for (const kind of KINDS) {
        const kindFolder = join(this.#folder, kind);
        for (const namespace of await namesIn(kindFolder)) {
          const namespaceFolder = join(kindFolder, namespace);
          for (const name of await namesIn(namespaceFolder)) found.add(join(namespaceFolder, name));
        }
      }
      await stat(this.#folder);
      if (this.#problems.delete(this.#folder)) this.#watcher?.add(this.#folder);
    } catch (error) {
      // Not being able to look is no order to forget the cluster.
      this.#broken(`cannot be read: ${(error as Error).message}`);
      return;
    }
    for (const path of this.#files.keys()) found.add(path);
    let last: Promise<void> | undefined;
    for (const path of found) {
      const signature = await signatureOf(path);
      if (signature === undefined ? this.#files.has(path) : this.#files.get(path)?.signature !== signature) {
        last = this.#changed(path);
      }
    }
    await last;
    this.#unread = false;
  }

  /** Kind, namespace and name from the path; undefined for what is no object of a known kind. */
  #place(path: string): Place | undefined {
    const parts = relative(this.#folder, path).split(sep);
    const [kindText, folder, file] = parts;
    if (parts.length !== 3 || kindText === undefined || folder === undefined || file === undefined) return undefined;
    const kind = KINDS.find((known) => known === kindText);
    if (kind === undefined || isHidden(path) || !file.endsWith('.yaml')) return undefined;
    return { kind, namespace: isClusterScoped(kind) ? '' : folder, name: file.slice(0, -'.yaml'.length) };
  }

  async #read(path: string): Promise<void> {
    const place = this.#place(path);
    if (place === undefined || this.#stopped) return;
    const known = this.#files.get(path);
    const signature = await signatureOf(path);
    if (signature === undefined) {
      // The whole folder is gone: nobody has deleted this object. The next look says so.
      if ((await stat(this.#folder).catch(() => undefined)) === undefined) return;
      this.#files.delete(path);
      this.#problems.delete(path);
      if (known !== undefined) this.#store.delete(place.kind, place.namespace, place.name);
      return;
    }
    const state: FileState = { ...place, signature, digest: known?.digest ?? '' };
    this.#files.set(path, state);
    let object: ClusterObject;
    try {
      const text = await readBounded(path);
      const digest = createHash('sha256').update(text).digest('base64');
      if (digest === state.digest) {
        this.#problems.delete(path);
        return;
      }
      object = readPlaced(place, text);
      state.digest = digest;
      this.#problems.delete(path);
    } catch (error) {
      // Gone between the look and the read: look again, and find it gone.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#dirty.add(path);
      else this.#problems.set(path, (error as Error).message.split('\n', 1)[0] ?? '');
      return;
    }
    this.#store.set(object);
  }
}

function readPlaced(place: Place, text: string): ClusterObject {
  const object = readObject(place.kind, parse(text));
  const { name, namespace } = object.metadata;
  if (name !== place.name) throw new Error(`metadata.name: "${name}" is not the file's name`);
  if (!isClusterScoped(place.kind) && namespace !== place.namespace) {
    throw new Error(`metadata.namespace: "${namespace}" is not the folder's name`);
  }
  return object;
}

async function readBounded(path: string): Promise<string> {
  const found = await stat(path);
  if (!found.isFile()) throw new Error('is not a file');
  const { size } = found;
  if (size > MAX_FILE_BYTES) throw new Error(`${size} bytes; at most ${MAX_FILE_BYTES} are read`);
  return readFile(path, 'utf8');
}

function parse(text: string): unknown {
  // JSON is YAML too, and its parser is many times faster.
  if (text.startsWith('{')) return JSON.parse(text);
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { logLevel: 'silent', prettyErrors: false, lineCounter });
  const [error] = document.errors;
  if (error !== undefined) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw new Error(`line ${line}, column ${col}: ${error.message}`);
  }
  return document.toJS({ maxAliasCount: 100 });
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith('.'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

async function signatureOf(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeNs } = await stat(path, { bigint: true });
    return `${ino}:${size}:${mtimeNs}`;
  } catch {
    return undefined;
  }
}

function isHidden(path: string): boolean {
  return path.slice(path.lastIndexOf(sep) + 1).startsWith('.');
}
