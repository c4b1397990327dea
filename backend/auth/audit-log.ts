import { pino } from 'pino';
import type { Logger } from '#runtime/log.ts';

/** Who was told of lately: people with a token or behind a proxy have no session that begins. */
const SEEN_FOR_MS = 60 * 60_000;
const MOST_SEEN = 10_000;

export type AuditEvent = 'signed-in' | 'signed-out' | 'refused' | 'seen';

export interface AuditEntry {
  readonly event: AuditEvent;
  /** Empty when nobody has proved who they are. */
  readonly user: string;
  /** Address of the browser or tool. */
  readonly from: string;
  /** token, oidc, proxy, bearer. */
  readonly by: string;
  /** Tells sessions apart; says nothing of the cookie. */
  readonly session?: string;
  /** Of a refusal. */
  readonly why?: string;
}

/** One JSON line for each session that begins or ends and each attempt that fails. Holds no secrets. */
export class AuditLog {
  readonly #log: Logger;
  readonly #seen = new Map<string, number>();

  /** @param path of a file that is appended to; undefined for the program's own log */
  constructor(path: string | undefined, log: Logger) {
    this.#log =
      path === undefined
        ? log.child({ audit: true })
        : pino(
            { base: undefined, timestamp: pino.stdTimeFunctions.isoTime },
            // Who was where and when is nobody else's.
            pino.destination({ dest: path, sync: true, mode: 0o600 }),
          );
  }

  write(entry: AuditEntry): void {
    this.#log.info(entry, `${entry.user || 'somebody'}: ${entry.event}`);
  }

  /** Told once an hour for the same person from the same place. */
  seen(entry: Omit<AuditEntry, 'event'>): void {
    const key = `${entry.user}\n${entry.from}\n${entry.by}`;
    const now = Date.now();
    if (now - (this.#seen.get(key) ?? Number.NEGATIVE_INFINITY) < SEEN_FOR_MS) return;
    this.#seen.delete(key);
    this.#seen.set(key, now);
    if (this.#seen.size > MOST_SEEN) this.#seen.delete(this.#seen.keys().next().value!);
    this.write({ event: 'seen', ...entry });
  }
}
