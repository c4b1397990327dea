import type { ServiceMaps } from '../maps/services.ts';

/** Which endpoint a socket's network namespace is: what is refused at the socket is told as that pod's. */
export class ClientNamespaces {
  readonly #map: ServiceMaps['clientNamespaces'];
  readonly #held: Map<bigint, number>;

  constructor(map: ServiceMaps['clientNamespaces']) {
    this.#map = map;
    this.#held = new Map(map.entries());
  }

  /** @param wanted cookie of a pod's network namespace → its interface index */
  apply(wanted: ReadonlyMap<bigint, number>): void {
    for (const [cookie, index] of wanted) {
      if (this.#held.get(cookie) === index) continue;
      this.#map.set(cookie, index);
      this.#held.set(cookie, index);
    }
    for (const cookie of [...this.#held.keys()]) {
      if (wanted.has(cookie)) continue;
      this.#map.delete(cookie);
      this.#held.delete(cookie);
    }
  }
}
