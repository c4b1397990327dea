import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_MANIFEST_LENGTH } from '#core/manifest/document.ts';

/** A manifest's text and the name its problems are told by. */
export interface ManifestSource {
  name: string;
  text: string;
  /** Why there is no text: what stands under that name cannot be read. A problem like any other, the rest still applies. */
  unreadable?: string;
}

const MANIFEST_FILE = /\.(ya?ml|json)$/i;
const STDIN = 0;
const CHUNK_BYTES = 64 * 1024;

/**
 * Reads what `-f` names: files, pipes, folders (their manifests, not those of folders below, in order of name) and "-" for
 * standard input. What cannot be read is a source that says why.
 */
export function readSources(paths: string[]): ManifestSource[] {
  return paths.flatMap((path) => {
    if (path === '-') return [source('stdin', () => readText(STDIN))];
    try {
      return statSync(path).isDirectory() ? readFolder(path) : [source(path, () => readFile(path))];
    } catch (error) {
      return [unreadable(path, error)];
    }
  });
}

function readFolder(folder: string): ManifestSource[] {
  const files = readdirSync(folder).filter((file) => MANIFEST_FILE.test(file));
  if (files.length === 0) return [{ name: folder, text: '', unreadable: 'holds no .yaml, .yml or .json file' }];
  return files.sort().map((file) => {
    const path = join(folder, file);
    return source(path, () => {
      // A pipe in a folder would be waited for without anybody having named it.
      if (!statSync(path).isFile()) throw new Error('is not a file');
      return readFile(path);
    });
  });
}

function readFile(path: string): string {
  const fd = openSync(path, 'r');
  try {
    return readText(fd);
  } finally {
    closeSync(fd);
  }
}

/** Reads to the end, but never more than a manifest may have. Throws on what is no UTF-8 text. */
function readText(fd: number): string {
  if (fstatSync(fd).size > MAX_MANIFEST_LENGTH) throw tooLarge();
  const chunks: Buffer[] = [];
  for (let size = 0; ; ) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const count = readWaiting(fd, chunk);
    if (count === 0) break;
    size += count;
    if (size > MAX_MANIFEST_LENGTH) throw tooLarge();
    chunks.push(chunk.subarray(0, count));
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new Error('is not UTF-8 text');
  }
}

/** Like readSync, but waits where the descriptor would not, as a terminal shared with another program may be. */
function readWaiting(fd: number, into: Buffer): number {
  for (;;) {
    try {
      return readSync(fd, into);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

function tooLarge(): Error {
  return new Error(`is larger than ${MAX_MANIFEST_LENGTH / 1024 / 1024} MiB, the most that is read of one file`);
}

function source(name: string, read: () => string): ManifestSource {
  try {
    return { name, text: read() };
  } catch (error) {
    return unreadable(name, error);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a folder',
  ELOOP: 'is a link that leads back to itself',
};

function unreadable(name: string, error: unknown): ManifestSource {
  const { code, message } = error as NodeJS.ErrnoException;
  return { name, text: '', unreadable: REASONS[code ?? ''] ?? message };
}
