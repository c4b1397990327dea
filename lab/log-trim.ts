import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';

const EVERY_MS = 10_000;
/** Largest log kept, in bytes; a larger one starts again from nothing. Logs are opened to append, so writers go on. */
export const MAX_LOG_BYTES = 4 * 1024 * 1024;

/** Keeps the logs below a folder from filling the disk. */
export class LogTrim {
  readonly #timer: NodeJS.Timeout;

  constructor(dir: string) {
    this.#timer = setInterval(() => trimLogs(dir), EVERY_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Empties logs in a folder and one level below that grew too large. */
export function trimLogs(dir: string, depth = 1): void {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory() && depth > 0 && entry.name !== 'state' && entry.name !== 'bpf') trimLogs(path, depth - 1);
    else if (entry.isFile() && entry.name.endsWith('.log') && statSync(path).size > MAX_LOG_BYTES) truncateSync(path);
  }
}
