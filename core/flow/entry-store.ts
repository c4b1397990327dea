/** Entry number 0 stands for "none" in every store. */
export const NO_ENTRY_NUMBER = 0;

/**
 * What many flows have in common, by number, shared by every flow that is held. Each held row counts as a reference for
 * every column that names an entry; an entry nobody refers to any more gives its number back, so that the store is
 * bounded by what is held and not by what has been seen.
 */
export class EntryStore<T> {
  readonly #what: string;
  readonly #keyOf: (entry: T) => string;
  readonly #entries: (T | undefined)[];
  readonly #keys: string[];
  readonly #byKey: Map<string, number>;
  #references = new Uint32Array(1024);
  #generations = new Uint32Array(1024);
  readonly #free: number[] = [];

  /**
   * @param what one entry, in words
   * @param none what number 0 stands for
   * @param keyOf equal keys = equal entries
   */
  constructor(what: string, none: T, keyOf: (entry: T) => string) {
    this.#what = what;
    this.#keyOf = keyOf;
    this.#entries = [none];
    this.#keys = [keyOf(none)];
    this.#byKey = new Map([[this.#keys[0], NO_ENTRY_NUMBER]]);
  }

  /** How many entries are held. */
  get size(): number {
    return this.#byKey.size;
  }

  /** One more than the greatest number ever given: the length of an array indexed by entry number. */
  get bound(): number {
    return this.#entries.length;
  }

  has(entry: T): boolean {
    return this.#byKey.has(this.#keyOf(entry));
  }

  /**
   * The number of an entry equal to this one, a new one if need be. The number is good until its last reference is
   * released; a number never retained stays until `release` is called for it once.
   */
  intern(entry: T): number {
    const key = this.#keyOf(entry);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const number = this.#free.pop() ?? this.#entries.length;
    if (number >= this.#references.length) this.#grow();
    this.#entries[number] = entry;
    this.#keys[number] = key;
    this.#byKey.set(key, number);
    this.#references[number] = 0;
    this.#generations[number]++;
    return number;
  }

  /** Whether the number stands for an entry. */
  holds(number: number): boolean {
    return this.#entries[number] !== undefined;
  }

  get(number: number): T {
    const entry = this.#entries[number];
    if (entry === undefined) throw new RangeError(`${this.#what} ${number} is not held`);
    return entry;
  }

  /** Changes whenever the number comes to stand for another entry: caches by number compare it. */
  generation(number: number): number {
    return this.#generations[number];
  }

  retain(number: number): void {
    this.#references[number]++;
  }

  /** Gives back one reference; the last one frees the number. */
  release(number: number): void {
    if (number === NO_ENTRY_NUMBER) return;
    if (this.#references[number] > 1) {
      this.#references[number]--;
      return;
    }
    if (this.#entries[number] === undefined) return;
    this.#references[number] = 0;
    this.#forget(number);
    this.#entries[number] = undefined;
    this.#keys[number] = '';
    this.#free.push(number);
  }

  /**
   * Puts another entry in the place of a number's: what refers to it stays. Several numbers may come to stand for equal entries
   * in this way, which then share one.
   */
  protected replace(number: number, entry: T): void {
    this.#forget(number);
    const key = this.#keyOf(entry);
    const same = this.#byKey.get(key);
    if (same === undefined) this.#byKey.set(key, number);
    this.#entries[number] = same === undefined ? entry : this.#entries[same];
    this.#keys[number] = same === undefined ? key : this.#keys[same];
    this.#generations[number]++;
  }

  protected keyLength(number: number): number {
    return this.#keys[number].length;
  }

  #forget(number: number): void {
    if (this.#byKey.get(this.#keys[number]) === number) this.#byKey.delete(this.#keys[number]);
  }

  #grow(): void {
    const references = new Uint32Array(this.#references.length * 2);
    references.set(this.#references);
    this.#references = references;
    const generations = new Uint32Array(this.#generations.length * 2);
    generations.set(this.#generations);
    this.#generations = generations;
  }
}
