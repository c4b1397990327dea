/** Positions of the window's rows that match a filter, the latest so many; each reader keeps its own place. */
export class MatchRing {
  readonly #positions: Float64Array;
  #end = 0;

  constructor(capacity: number) {
    this.#positions = new Float64Array(capacity);
  }

  /** Count of all matches so far: the place of the next one. */
  get end(): number {
    return this.#end;
  }

  /** Place of the oldest match held. */
  get start(): number {
    return Math.max(0, this.#end - this.#positions.length);
  }

  push(position: number): void {
    this.#positions[this.#end++ % this.#positions.length] = position;
  }

  /** The window position at a place between `start` and `end`. */
  at(place: number): number {
    return this.#positions[place % this.#positions.length];
  }
}
