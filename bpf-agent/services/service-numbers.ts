import type { EndpointStore } from '#core/flow/endpoint-store.ts';
import type { Frontend } from '#core/service/service.ts';

/** Pairs of frontend and backend remembered; beyond that it starts afresh. */
const MOST_KNOWN = 65_536;
/** More endpoints than this are never held. */
const ENDPOINTS = 2 ** 26;

/** Frontend id and backend → number of the backend as reached through that Service, without an object per record. */
export class ServiceNumbers {
  readonly #store: EndpointStore;
  readonly #frontend: (id: number) => Frontend | undefined;
  readonly #known = new Map<number, number>();
  /** Connections opened, by frontend id and the backend's address. */
  readonly #opened = new Map<string, number>();
  #valid = 0;

  /** @param frontend the frontend with this number in the kernel, also when it is gone by now */
  constructor(store: EndpointStore, frontend: (id: number) => Frontend | undefined) {
    this.#store = store;
    this.#frontend = frontend;
  }

  /**
   * @param backend number of the endpoint
   * @param valid changes when numbers given before may stand for others
   * @returns the endpoint's own number for a frontend nobody knows
   */
  number(id: number, backend: number, valid: number): number {
    if (valid !== this.#valid || this.#known.size >= MOST_KNOWN) {
      this.#clear();
      this.#valid = valid;
    }
    const key = id * ENDPOINTS + backend;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const frontend = this.#frontend(id);
    if (frontend === undefined) return backend;
    const { namespace, service: name, portName, address, port } = frontend;
    const endpoint = { ...this.#store.get(backend), service: { namespace, name, portName, address, port } };
    const number = this.#store.intern(endpoint);
    this.#store.retain(number);
    this.#known.set(key, number);
    return number;
  }

  /** A connection to this backend was opened through the frontend. */
  count(id: number, backend: number): void {
    const key = `${id} ${this.#store.get(backend).address}`;
    this.#opened.set(key, (this.#opened.get(key) ?? 0) + 1);
    // Backends come and go: those nobody came to for the longest are forgotten.
    if (this.#opened.size > MOST_KNOWN) this.#opened.delete(this.#opened.keys().next().value!);
  }

  /** How many connections were opened to a backend through a frontend, since the agent started. */
  opened(id: number, address: string): number {
    return this.#opened.get(`${id} ${address}`) ?? 0;
  }

  #clear(): void {
    for (const number of this.#known.values()) this.#store.release(number);
    this.#known.clear();
  }
}
