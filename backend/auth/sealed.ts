import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Logger } from '#runtime/log.ts';

const LOOK_EVERY_MS = 5_000;
const LEAST_KEY = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** The file with the keys cannot be used; the message names it. */
export class SessionKeyError extends Error {
  override readonly name = 'SessionKeyError';
}

/**
 * Seals what a browser keeps for us (AES-256-GCM), so that every replica that has the keys can read it and nobody else
 * can, or can change it. Keys come from a file, one a line: the first seals, all open, so that they can be replaced without ending
 * sessions. The file is read again as it changes.
 */
export class Seal {
  readonly #path: string | undefined;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout | undefined;
  #content = '';
  #keys: Buffer[] = [];

  /** Without a file the key is made up: sessions end with the process, and no other replica knows them. Throws SessionKeyError. */
  constructor(path: string | undefined, log: Logger) {
    this.#path = path;
    this.#log = log;
    if (path === undefined) {
      this.#keys = [derive(randomBytes(LEAST_KEY))];
      return;
    }
    this.#read(path);
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS);
    this.#timer.unref();
  }

  /** Reads the file again. What cannot be used is told, and the former keys stay. */
  look(): void {
    if (this.#path === undefined) return;
    try {
      this.#read(this.#path);
    } catch (error) {
      this.#log.warn({ err: error }, 'session keys stay as they were');
    }
  }

  /** @param purpose what was sealed for one is not opened for another */
  seal(purpose: string, value: unknown): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#keys[0]!, iv);
    cipher.setAAD(Buffer.from(purpose));
    const sealed = Buffer.concat([cipher.update(JSON.stringify(value)), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
  }

  /** Undefined for anything that was not sealed for this purpose with a known key. */
  open(purpose: string, text: string): unknown {
    const bytes = Buffer.from(text, 'base64url');
    if (bytes.length < IV_BYTES + TAG_BYTES) return undefined;
    const [iv, tag] = [bytes.subarray(0, IV_BYTES), bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES)];
    for (const key of this.#keys) {
      try {
        const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
        decipher.setAAD(Buffer.from(purpose));
        decipher.setAuthTag(tag);
        const opened = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
        return JSON.parse(opened.toString());
      } catch {
        // Another key's, or nobody's.
      }
    }
    return undefined;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #read(path: string): void {
    let content: string;
    try {
      content = readFileSync(path, 'utf8');
    } catch (error) {
      throw new SessionKeyError(`session keys ${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
    }
    if (content === this.#content) return;
    const lines = content.split('\n').map((line) => line.trim());
    const keys = lines.filter((line) => line !== '' && !line.startsWith('#'));
    if (keys.length === 0 || keys.some((key) => key.length < LEAST_KEY)) {
      throw new SessionKeyError(
        `session keys ${path}: one key a line is expected, each of at least ${LEAST_KEY} characters; make one with "openssl rand -base64 32"`,
      );
    }
    this.#keys = keys.map((key) => derive(Buffer.from(key)));
    this.#content = content;
  }
}

function derive(secret: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', 'waggle session', 32));
}

/** Stands for a secret where it must not be kept. */
export function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}
