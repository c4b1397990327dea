/** A name holds for its time to live, and this long beyond, in milliseconds: connections last longer than the answers they began with. */
const HOLD_MS = 3_600_000;
/** A time to live of more than a day says nothing that a day would not, in seconds. */
const MOST_TTL = 86_400;
/** Names of one address: of those that share it (content delivery, virtual hosts), the ones that were said last. */
const MOST_NAMES = 4;
const MOST_ADDRESSES = 16_384;

/** What an address is called. */
export interface NamedAddress {
  /** In the order in which they were first heard, so that the first one changes as little as can be. */
  readonly names: readonly string[];
  /** When somebody last used one of them, in the clock of `learn`: as long as that lasts, they are kept. To be written by the reader. */
  usedMs: number;
}

interface Entry extends NamedAddress {
  names: readonly string[];
  /** Until when each holds. */
  untilMs: readonly number[];
}

/**
 * Names of addresses as DNS answers told them, each known in the scope (namespace) alone whose pods asked: who may see the flows of one
 * namespace thus never learns what another one looks up. Bounded; beyond that the scope that knows most forgets what was said to it longest ago.
 */
export class KnownNames {
  readonly #most: number;
  /** Addresses in the order in which something was last said of them. */
  readonly #scopes = new Map<string, Map<string, Entry>>();
  #size = 0;
  #evicted = 0;
  #revision = 0;

  constructor(most = MOST_ADDRESSES) {
    this.#most = most;
  }

  /** Addresses that have a name, once for each scope. */
  get size(): number {
    return this.#size;
  }

  /** Addresses that were forgotten for others to have room. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Rises when an address gets or loses a name. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * @param name lower case, without the last dot; see `readableName`
   * @param ttlSeconds of the answer
   * @param nowMs of a clock that does not go back
   */
  learn(scope: string, address: string, name: string, ttlSeconds: number, nowMs: number): void {
    const untilMs = nowMs + Math.min(ttlSeconds, MOST_TTL) * 1_000 + HOLD_MS;
    const known = this.#scopes.get(scope) ?? new Map<string, Entry>();
    if (known.size === 0) this.#scopes.set(scope, known);
    const entry = known.get(address);
    if (entry === undefined) {
      if (this.#size >= this.#most) this.#evict();
      // The scope that had to forget may have been this one, and its last.
      this.#scopes.set(scope, known);
      known.set(address, { names: [name], untilMs: [untilMs], usedMs: 0 });
      this.#size++;
      this.#revision++;
      return;
    }
    known.delete(address);
    known.set(address, entry);
    const at = entry.names.indexOf(name);
    if (at >= 0) {
      entry.untilMs = entry.untilMs.with(at, Math.max(untilMs, entry.untilMs[at]));
      return;
    }
    const kept = entry.names.map((_, index) => index);
    if (kept.length >= MOST_NAMES) kept.splice(entry.untilMs.indexOf(Math.min(...entry.untilMs)), 1);
    entry.names = [...kept.map((index) => entry.names[index]), name];
    entry.untilMs = [...kept.map((index) => entry.untilMs[index]), untilMs];
    this.#revision++;
  }

  /** What those of a scope call an address; undefined when it has no name there. */
  get(scope: string, address: string): NamedAddress | undefined {
    return this.#scopes.get(scope)?.get(address);
  }

  /** Forgets what no longer holds. To be called now and then. */
  expire(nowMs: number): void {
    for (const [scope, known] of this.#scopes) {
      for (const [address, entry] of known) {
        if (entry.usedMs + HOLD_MS > nowMs && entry.usedMs > 0) continue;
        const kept = entry.names.map((_, index) => index).filter((index) => entry.untilMs[index] > nowMs);
        if (kept.length === entry.names.length) continue;
        this.#revision++;
        if (kept.length === 0) {
          known.delete(address);
          this.#size--;
        }
        entry.names = kept.map((index) => entry.names[index]);
        entry.untilMs = kept.map((index) => entry.untilMs[index]);
      }
      if (known.size === 0) this.#scopes.delete(scope);
    }
  }

  #evict(): void {
    let largest: Map<string, Entry> | undefined;
    let scope = '';
    for (const [name, known] of this.#scopes) {
      if (known.size > (largest?.size ?? 0)) {
        largest = known;
        scope = name;
      }
    }
    const oldest = largest?.keys().next();
    if (largest === undefined || oldest === undefined || oldest.done) return;
    largest.delete(oldest.value);
    if (largest.size === 0) this.#scopes.delete(scope);
    this.#size--;
    this.#evicted++;
    this.#revision++;
  }
}

const NAME = /^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*$/;
const MOST_LETTERS = 253;

/**
 * A DNS name as it is shown: lower case, without the last dot. Undefined for what is none of a host: other characters, which a screen
 * might show as something else, or too many.
 */
export function readableName(text: string): string | undefined {
  const lower = (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase();
  return lower.length <= MOST_LETTERS && NAME.test(lower) ? lower : undefined;
}
