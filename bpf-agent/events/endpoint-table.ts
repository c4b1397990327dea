import type { EndpointStore } from '#core/flow/endpoint-store.ts';
import { formatAddress } from '#core/ip/address.ts';
import type { AddressBook } from './address-book.ts';

/** Words per key: the address as four, the identity. */
const KEY_WORDS = 5;
/** Slots; three quarters may be used before the table starts afresh. A power of two. */
const SLOTS = 32_768;
const MOST_USED = (SLOTS / 4) * 3;
/** ::ffff:0:0/96 as the third 32-bit word of an address reads on a little-endian machine. */
const V4_MAPPED_WORD = 0xffff_0000;

/**
 * Address and identity of a ring record → number of the endpoint in the window's store, without an object per record: open
 * addressing over typed arrays. It holds a reference on every endpoint in it.
 */
export class EndpointTable {
  readonly #store: EndpointStore;
  readonly #book: AddressBook;
  #keys = new Uint32Array(SLOTS * KEY_WORDS);
  /** Endpoint number + 1; 0 = free. */
  #numbers = new Uint32Array(SLOTS);
  #used = 0;
  #revision: number;
  #timesCleared = 0;

  constructor(store: EndpointStore, book: AddressBook) {
    this.#store = store;
    this.#book = book;
    this.#revision = book.revision;
  }

  /** Rises when numbers given before may no longer be held. */
  get timesCleared(): number {
    return this.#timesCleared;
  }

  /** Starts afresh when the book has changed since. To be called before a run of `number` calls. */
  refresh(): void {
    if (this.#revision === this.#book.revision) return;
    this.#revision = this.#book.revision;
    this.#clear();
  }

  /**
   * @param words the memory that holds the address
   * @param at index of the first of its four words, as they stand in memory (network order)
   * @param identity what the kernel knew it as
   */
  number(words: Uint32Array, at: number, identity: number): number {
    const keys = this.#keys;
    const a = words[at];
    const b = words[at + 1];
    const c = words[at + 2];
    const d = words[at + 3];
    let hash = Math.imul(d ^ Math.imul(c, 0x85eb_ca6b), 0x9e37_79b1) ^ Math.imul(a ^ (b << 7) ^ identity, 0xc2b2_ae35);
    hash ^= hash >>> 15;
    let slot = hash & (SLOTS - 1);
    for (;;) {
      const found = this.#numbers[slot];
      if (found === 0) return this.#resolve(slot, a, b, c, d, identity);
      const key = slot * KEY_WORDS;
      if (
        keys[key + 3] === d &&
        keys[key] === a &&
        keys[key + 1] === b &&
        keys[key + 2] === c &&
        keys[key + 4] === identity
      ) {
        return found - 1;
      }
      slot = (slot + 1) & (SLOTS - 1);
    }
  }

  #resolve(slot: number, a: number, b: number, c: number, d: number, identity: number): number {
    const number = this.#store.intern(this.#book.lookup(addressText(a, b, c, d), identity));
    // More peers than slots (a scan, a public service): forgetting them all costs less than a list of uses.
    if (this.#used >= MOST_USED) {
      this.#store.retain(number);
      this.#clear();
      this.#store.release(number);
      return this.number(Uint32Array.of(a, b, c, d), 0, identity);
    }
    this.#store.retain(number);
    this.#used++;
    this.#numbers[slot] = number + 1;
    this.#keys.set([a, b, c, d, identity], slot * KEY_WORDS);
    return number;
  }

  #clear(): void {
    this.#timesCleared++;
    for (let slot = 0; slot < SLOTS; slot++) {
      if (this.#numbers[slot] !== 0) this.#store.release(this.#numbers[slot] - 1);
    }
    this.#numbers.fill(0);
    this.#used = 0;
  }
}

const scratchWords = new Uint32Array(4);
const scratchBytes = new Uint8Array(scratchWords.buffer);

/** Text of an address from its four words as they stand in memory. */
export function addressText(a: number, b: number, c: number, d: number): string {
  scratchWords[0] = a;
  scratchWords[1] = b;
  scratchWords[2] = c;
  scratchWords[3] = d;
  return formatAddress(a === 0 && b === 0 && c === V4_MAPPED_WORD ? scratchBytes.subarray(12) : scratchBytes);
}
