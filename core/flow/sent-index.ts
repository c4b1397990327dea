/** Under which index each of a store's entries was sent on a stream. A number that stands for another entry by now was not sent. */
export class SentIndex {
  /** By the store's number: the index, plus one, and the generation it was sent for. */
  #index: Uint32Array;
  #generation: Uint32Array;

  /** @param room numbers there is room for at first */
  constructor(room: number) {
    this.#index = new Uint32Array(room);
    this.#generation = new Uint32Array(room);
  }

  /** The index of this generation of the number; -1 where it was not sent. */
  get(number: number, generation: number): number {
    return number < this.#index.length && this.#generation[number] === generation ? this.#index[number] - 1 : -1;
  }

  /** @param bound above every number of the store: there is room for all of them, then */
  set(number: number, generation: number, index: number, bound: number): void {
    if (number >= this.#index.length) {
      const room = Math.max(this.#index.length * 2, number + 1, bound);
      this.#index = grown(this.#index, room);
      this.#generation = grown(this.#generation, room);
    }
    this.#index[number] = index + 1;
    this.#generation[number] = generation;
  }
}

function grown(from: Uint32Array, length: number): Uint32Array {
  const to = new Uint32Array(length);
  to.set(from);
  return to;
}
