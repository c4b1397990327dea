import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type ClusterObject, KINDS } from './objects.ts';

/** To be raised with every change of what an object of the cluster state holds (`kept-state.spec.ts` notices). */
export const KEPT_VERSION = 1;

/** 5,000 pods take 3.3 MB. */
const MOST_BYTES = 64 * 1024 * 1024;
const CHUNK_CHARACTERS = 64 * 1024;
/** Whoever else may write it could say which pod has which name. */
const WRITABLE_BY_OTHERS = 0o022;

/** What a process that is gone knew of the cluster. */
export interface KeptState {
  /** When it was known to be up to date last, in milliseconds since 1970. */
  readonly asOfMs: number;
  readonly objects: readonly ClusterObject[];
}

/** The file is there and cannot be used; the message says why. */
export class KeptStateError extends Error {
  override readonly name = 'KeptStateError';
}

/**
 * What is known of the cluster as a file, for the next process: a head, one object per line, and their number, so that half a file is
 * known as such. The time of its last change is when it was known to be up to date.
 */
export class KeptStateFile {
  readonly #path: string;
  /** Of which API server; what another one had is refused. */
  readonly #server: string;
  readonly #mostBytes: number;

  constructor(path: string, server: string, mostBytes = MOST_BYTES) {
    this.#path = path;
    this.#server = server;
    this.#mostBytes = mostBytes;
  }

  /** Undefined where there is none. Throws {@link KeptStateError}. */
  async read(): Promise<KeptState | undefined> {
    let file: FileHandle;
    try {
      file = await open(this.#path, constants.O_RDONLY | constants.O_NOFOLLOW);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw this.#unusable((error as Error).message);
    }
    try {
      const { size, mode, uid, mtimeMs } = await file.stat();
      if (size > this.#mostBytes) throw this.#unusable(`it has more than ${this.#mostBytes} bytes`);
      if (uid !== process.getuid?.() || (mode & WRITABLE_BY_OTHERS) !== 0) {
        throw this.#unusable('others may have written it');
      }
      return { asOfMs: Math.min(Date.now(), Math.round(mtimeMs)), objects: this.#parse(await file.readFile('utf8')) };
    } finally {
      await file.close();
    }
  }

  /** All or nothing, with what there is while it is written. Resolves with its length in bytes; rejects with the file system's error, or {@link KeptStateError}. */
  async write(objects: Iterable<ClusterObject>, asOfMs: number): Promise<number> {
    await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
    const draft = join(dirname(this.#path), `.${basename(this.#path)}`);
    await rm(draft, { force: true });
    const file = await open(draft, 'wx', 0o600);
    let bytes: number;
    try {
      bytes = await this.#fill(file, objects);
      await file.utimes(asOfMs / 1_000, asOfMs / 1_000);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    } finally {
      await file.close();
    }
    await rename(draft, this.#path);
    return bytes;
  }

  /** Says that what it holds was up to date then. */
  async confirm(asOfMs: number): Promise<void> {
    await utimes(this.#path, asOfMs / 1_000, asOfMs / 1_000);
  }

  async #fill(file: FileHandle, objects: Iterable<ClusterObject>): Promise<number> {
    let text = `${JSON.stringify({ version: KEPT_VERSION, server: this.#server })}\n`;
    let bytes = 0;
    let count = 0;
    const flush = async () => {
      const chunk = Buffer.from(text);
      text = '';
      bytes += chunk.length;
      if (bytes > this.#mostBytes) throw this.#unusable(`it would have more than ${this.#mostBytes} bytes`);
      await file.writeFile(chunk);
    };
    for (const object of objects) {
      text += `${JSON.stringify(object)}\n`;
      count++;
      // Between two of these others get their turn: a flow is not to wait for all of it.
      if (text.length >= CHUNK_CHARACTERS) await flush();
    }
    text += `${JSON.stringify({ objects: count })}\n`;
    await flush();
    return bytes;
  }

  #parse(text: string): ClusterObject[] {
    const lines = text.split('\n');
    const head = this.#line(lines[0]) as { version?: unknown; server?: unknown };
    if (head.version !== KEPT_VERSION) throw this.#unusable('another version of Waggle wrote it');
    if (head.server !== this.#server) throw this.#unusable(`it is of another API server, ${head.server}`);
    const end = this.#line(lines.at(-2)) as { objects?: unknown };
    if (end.objects !== lines.length - 3 || lines.at(-1) !== '') throw this.#unusable('it is not whole');
    return lines.slice(1, -2).map((line) => {
      const object = this.#line(line) as Partial<ClusterObject>;
      const { kind, metadata } = object;
      if (!KINDS.some((known) => known === kind) || typeof metadata?.name !== 'string') {
        throw this.#unusable('it holds what is no object');
      }
      return object as ClusterObject;
    });
  }

  #line(line = ''): object {
    try {
      const value: unknown = JSON.parse(line);
      if (typeof value === 'object' && value !== null) return value;
    } catch {
      // As any other line that is none.
    }
    throw this.#unusable('it is not whole');
  }

  #unusable(reason: string): KeptStateError {
    return new KeptStateError(`${this.#path} cannot be used: ${reason}`);
  }
}
