/** What an edge is known by; `portProtocol` is port × 256 + protocol. */
export interface EdgeKeys {
  readonly source: Int32Array;
  readonly destination: Int32Array;
  readonly portProtocol: Uint32Array;
}

const EMPTY = 0;

/** Finds an edge by its keys: a hash table of integers with open addressing. Holds edge indexes; the keys stay with the edges. */
export class EdgeIndex {
  /** Edge index plus one. */
  #slots = new Int32Array(1024);
  #used = 0;

  find(keys: EdgeKeys, source: number, destination: number, portProtocol: number): number {
    const mask = this.#slots.length - 1;
    let slot = edgeHash(source, destination, portProtocol) & mask;
    for (;;) {
      const edge = this.#slots[slot] - 1;
      if (edge < 0) return -1;
      if (
        keys.portProtocol[edge] === portProtocol &&
        keys.destination[edge] === destination &&
        keys.source[edge] === source
      ) {
        return edge;
      }
      slot = (slot + 1) & mask;
    }
  }

  /** Adds an edge that is not there yet. */
  add(keys: EdgeKeys, edge: number): void {
    if (2 * (this.#used + 1) > this.#slots.length) {
      const old = this.#slots;
      this.#slots = new Int32Array(old.length * 2);
      for (const entry of old) if (entry !== EMPTY) this.#place(keys, entry - 1);
    }
    this.#place(keys, edge);
    this.#used++;
  }

  /** Starts over with these edges: open addressing has no cheap removal, and edges go seldom. */
  rebuild(keys: EdgeKeys, edges: Iterable<number>): void {
    this.#slots.fill(EMPTY);
    this.#used = 0;
    for (const edge of edges) this.add(keys, edge);
  }

  #place(keys: EdgeKeys, edge: number): void {
    const mask = this.#slots.length - 1;
    let slot = edgeHash(keys.source[edge], keys.destination[edge], keys.portProtocol[edge]) & mask;
    while (this.#slots[slot] !== EMPTY) slot = (slot + 1) & mask;
    this.#slots[slot] = edge + 1;
  }
}

export function edgeHash(source: number, destination: number, portProtocol: number): number {
  let hash =
    Math.imul(source + 1, 0x85ebca6b) ^ Math.imul(destination + 1, 0xc2b2ae35) ^ Math.imul(portProtocol, 0x27d4eb2f);
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}
