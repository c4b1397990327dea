import { isIPv6 } from 'node:net';
import { parseAddress } from '#core/ip/address.ts';

/** Failures of one address before it has to wait, and of all together. */
const MOST_OF_ONE = 10;
const MOST_OF_ALL = 300;
const PER_MS = 60_000;
/** Attempts of one address that are not decided yet: however many come at once, no more than this are looked at. */
const MOST_PENDING = 32;
const MOST_ADDRESSES = 10_000;

interface Failures {
  count: number;
  readonly sinceMs: number;
}

/** An attempt that is not looked at, because too many failed before it. */
export class TooManyAttempts extends Error {
  override readonly name = 'TooManyAttempts';
  readonly waitSeconds: number;

  constructor(waitSeconds: number) {
    super(`too many failed attempts: try again in ${waitSeconds} s`);
    this.waitSeconds = waitSeconds;
  }
}

/** Counts failed attempts to sign in, so that nobody can try many. */
export class LoginLimit {
  /** The oldest first. */
  readonly #byAddress = new Map<string, Failures>();
  #all: Failures = { count: 0, sinceMs: 0 };

  readonly #pending = new Map<string, number>();

  /** Seconds that this address has to wait; 0 = it may try. */
  waitSeconds(address: string, nowMs: number = Date.now()): number {
    const own = this.#byAddress.get(key(address));
    const waits = [
      own !== undefined && own.count >= MOST_OF_ONE ? own.sinceMs + PER_MS - nowMs : 0,
      (this.#pending.get(key(address)) ?? 0) >= MOST_PENDING ? 1_000 : 0,
      this.#all.count >= MOST_OF_ALL ? this.#all.sinceMs + PER_MS - nowMs : 0,
    ];
    return Math.max(0, Math.ceil(Math.max(...waits) / 1_000));
  }

  /** What the attempt comes to; undefined is a failure, and counted. Throws TooManyAttempts. */
  async attempt<T>(address: string, decide: () => Promise<T | undefined>): Promise<T | undefined> {
    const wait = this.waitSeconds(address);
    if (wait > 0) throw new TooManyAttempts(wait);
    const own = key(address);
    this.#pending.set(own, (this.#pending.get(own) ?? 0) + 1);
    try {
      const decided = await decide();
      if (decided === undefined) this.failed(address);
      return decided;
    } finally {
      const pending = this.#pending.get(own)! - 1;
      if (pending === 0) this.#pending.delete(own);
      else this.#pending.set(own, pending);
    }
  }

  failed(address: string, nowMs: number = Date.now()): void {
    this.#all = counted(this.#all, nowMs);
    const own = key(address);
    const failures = counted(this.#byAddress.get(own), nowMs);
    this.#byAddress.delete(own);
    this.#byAddress.set(own, failures);
    if (this.#byAddress.size > MOST_ADDRESSES) this.#byAddress.delete(this.#byAddress.keys().next().value!);
  }
}

function counted(before: Failures | undefined, nowMs: number): Failures {
  if (before === undefined || nowMs - before.sinceMs >= PER_MS) return { count: 1, sinceMs: nowMs };
  return { count: before.count + 1, sinceMs: before.sinceMs };
}

/** IPv6 addresses are given out by the /64: one of them is as good as all. */
function key(address: string): string {
  if (!isIPv6(address)) return address;
  return Buffer.from(parseAddress(address).subarray(0, 8)).toString('hex');
}
