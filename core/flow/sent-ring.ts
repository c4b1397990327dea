import { MAX_BATCH_ROWS } from './column-codec.ts';
import type { EntryStore } from './entry-store.ts';
import { SentIndex } from './sent-index.ts';

/** Entries that both ends of a stream remember. As many as a batch has rows, so that none is overwritten by its own batch. */
export const RING_ENTRIES = MAX_BATCH_ROWS;
const FIRST_ENTRIES = 256;

/**
 * What of one store a stream has been sent, and under which index, where new entries keep coming: the n-th ever sent has the
 * index n mod 65,536 and takes the place of the one that had it, which is sent again if it is needed again.
 */
export class SentRing<T> {
  readonly #store: EntryStore<T>;
  readonly #sent = new SentIndex(FIRST_ENTRIES);
  /** By index: the store's number. */
  #owner = new Uint32Array(FIRST_ENTRIES);
  #next = 0;

  constructor(store: EntryStore<T>) {
    this.#store = store;
  }

  /**
   * The entry's index; one that the other end does not have is given to `send` first.
   *
   * @param rowsLeft of the batch, this one included: an index must stay good for that many entries more
   */
  index(number: number, rowsLeft: number, send: (entry: T) => void): number {
    const generation = this.#store.generation(number);
    const known = this.#sent.get(number, generation);
    if (known >= 0 && this.#owner[known] === number) {
      const untilOverwritten = (known - this.#next + RING_ENTRIES) % RING_ENTRIES;
      if (untilOverwritten >= rowsLeft) return known;
    }
    send(this.#store.get(number));
    const index = this.#next;
    if (index >= this.#owner.length) this.#growOwners();
    this.#owner[index] = number;
    this.#sent.set(number, generation, index, this.#store.bound);
    this.#next = (index + 1) % RING_ENTRIES;
    return index;
  }

  #growOwners(): void {
    const owner = new Uint32Array(Math.min(this.#owner.length * 2, RING_ENTRIES));
    owner.set(this.#owner);
    this.#owner = owner;
  }
}
