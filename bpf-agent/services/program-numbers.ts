import type { EndpointStore } from '#core/flow/endpoint-store.ts';

/** Pairs of endpoint and cgroup remembered; beyond that it starts afresh. */
const MOST_KNOWN = 16_384;

/** Endpoint and cgroup → number of the endpoint with that cgroup: who translated something, in which of a pod's containers. */
export class ProgramNumbers {
  readonly #store: EndpointStore;
  readonly #known = new Map<string, number>();
  #valid = 0;

  constructor(store: EndpointStore) {
    this.#store = store;
  }

  /**
   * @param endpoint number of the endpoint
   * @param low, high halves of the cgroup's id
   * @param valid changes when numbers given before may stand for others
   */
  number(endpoint: number, low: number, high: number, valid: number): number {
    if (valid !== this.#valid || this.#known.size >= MOST_KNOWN) {
      for (const number of this.#known.values()) this.#store.release(number);
      this.#known.clear();
      this.#valid = valid;
    }
    const key = `${endpoint} ${low} ${high}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const number = this.#store.intern({ ...this.#store.get(endpoint), cgroupId: high * 0x1_0000_0000 + low });
    this.#store.retain(number);
    this.#known.set(key, number);
    return number;
  }
}
