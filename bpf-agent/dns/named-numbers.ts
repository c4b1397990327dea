import { isOutside } from '#core/card/card-name.ts';
import type { KnownNames, NamedAddress } from '#core/dns/known-names.ts';
import type { EndpointStore } from '#core/flow/endpoint-store.ts';

/** Pairs of address and pod remembered; beyond that it starts afresh. */
const MOST_KNOWN = 65_536;
/** More endpoints than this are never held. */
const ENDPOINTS = 2 ** 26;

interface Known {
  readonly number: number;
  /** Of the names, when they were looked for. */
  readonly revision: number;
  readonly named: NamedAddress | undefined;
}

/** Address outside the cluster and pod that talks to it → number of the endpoint with the names by which that pod's namespace asked for it. */
export class NamedNumbers {
  readonly #store: EndpointStore;
  readonly #names: KnownNames;
  readonly #known = new Map<number, Known>();
  #valid = 0;
  #nowMs = 0;

  constructor(store: EndpointStore, names: KnownNames) {
    this.#store = store;
    this.#names = names;
  }

  /** Whether there is anything to be looked for at all. */
  get any(): boolean {
    return this.#names.size > 0;
  }

  /** Sets the time at which names are used from now on, in the clock of the names. */
  at(nowMs: number): void {
    this.#nowMs = nowMs;
  }

  /**
   * @param outside number of the endpoint that may be named; it is given back where it has no name, or is none outside
   * @param pod number of the endpoint at the other end
   * @param valid changes when numbers given before may stand for others
   */
  number(outside: number, pod: number, valid: number): number {
    if (valid !== this.#valid || this.#known.size >= MOST_KNOWN) {
      this.#clear();
      this.#valid = valid;
    }
    const key = outside * ENDPOINTS + pod;
    const known = this.#known.get(key);
    if (known !== undefined) {
      if (known.revision === this.#names.revision) {
        if (known.named !== undefined) known.named.usedMs = this.#nowMs;
        return known.number;
      }
      this.#release(key, known.number);
    }
    const endpoint = this.#store.get(outside);
    const named = isOutside(endpoint) ? this.#names.get(this.#store.get(pod).namespace, endpoint.address) : undefined;
    const number = named === undefined ? outside : this.#store.intern({ ...endpoint, names: named.names });
    // Both that are asked with, too: as long as they are held, they stand for nobody else.
    for (const held of [number, outside, pod]) this.#store.retain(held);
    if (named !== undefined) named.usedMs = this.#nowMs;
    this.#known.set(key, { number, revision: this.#names.revision, named });
    return number;
  }

  #clear(): void {
    for (const [key, { number }] of this.#known) this.#release(key, number);
    this.#known.clear();
  }

  #release(key: number, number: number): void {
    for (const held of [number, Math.floor(key / ENDPOINTS), key % ENDPOINTS]) this.#store.release(held);
  }
}
