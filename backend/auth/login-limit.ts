import { isIPv6 } from 'node:net';
import { parseAddress } from '#core/ip/address.ts';

/** Failures of one address before it has to wait, and of all together. */
const MOST_OF_ONE = 10;
const MOST_OF_ALL = 300;
const PER_MS = 60_000;
const MOST_ADDRESSES = 10_000;

interface Failures {
  count: number;
  readonly sinceMs: number;
}

/** Counts failed attempts to sign in, so that nobody can try many. */
export class LoginLimit {
  /** The oldest first. */
  readonly #byAddress = new Map<string, Failures>();
  #all: Failures = { count: 0, sinceMs: 0 };

  /** Seconds that this address has to wait; 0 = it may try. */
  waitSeconds(address: string, nowMs: number = Date.now()): number {
    const own = this.#byAddress.get(key(address));
    const waits = [
      own !== undefined && own.count >= MOST_OF_ONE ? own.sinceMs + PER_MS - nowMs : 0,
      this.#all.count >= MOST_OF_ALL ? this.#all.sinceMs + PER_MS - nowMs : 0,
    ];
    return Math.max(0, Math.ceil(Math.max(...waits) / 1_000));
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
