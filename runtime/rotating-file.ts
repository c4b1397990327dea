import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface RotatingFileOptions {
  readonly path: string;
  /** A file that has grown to this many bytes is put aside. */
  readonly maxBytes: number;
  /** Files put aside that are kept: `path.1` is the newest. */
  readonly backups: number;
}

/** A file that is appended to and put aside when it is large. Written by one process. */
export class RotatingFile {
  readonly #options: RotatingFileOptions;
  #file: FileHandle | undefined;
  #bytes = 0;

  constructor(options: RotatingFileOptions) {
    this.#options = options;
  }

  /**
   * Appends whole lines: a rotation never cuts `text`. Fails as the file system does, and then none of it is in the file: the
   * next call tries again.
   */
  async append(text: string): Promise<void> {
    const bytes = Buffer.byteLength(text);
    if (this.#file !== undefined && this.#bytes > 0 && this.#bytes + bytes > this.#options.maxBytes)
      await this.#rotate();
    const file = this.#file ?? (await this.#open());
    try {
      await file.appendFile(text);
    } catch (error) {
      // A full disk takes what fits.
      await file.truncate(this.#bytes).catch(() => {});
      throw error;
    }
    this.#bytes += bytes;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #open(): Promise<FileHandle> {
    const { path } = this.#options;
    await mkdir(dirname(path), { recursive: true });
    // Flows name who talks to whom: for the owner's eyes.
    this.#file = await open(path, 'a', 0o600);
    this.#bytes = (await stat(path)).size;
    return this.#file;
  }

  async #rotate(): Promise<void> {
    const { path, backups } = this.#options;
    await this.close();
    if (backups === 0) {
      await rm(path, { force: true });
      return;
    }
    for (let number = backups - 1; number >= 1; number--)
      await renameIfThere(`${path}.${number}`, `${path}.${number + 1}`);
    await renameIfThere(path, `${path}.1`);
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
