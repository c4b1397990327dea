import { setImmediate as nextTurn } from 'node:timers/promises';

const SLICE_MS = 8;
/** The clock is looked at after so many steps, or fewer where they are costly. */
const MOST_STEPS = 16;
const LOOK_MS = SLICE_MS / 4;

/**
 * For walks over many rows with a question that somebody else has asked, which may be a costly one (CEL takes 200 µs): everybody else
 * gets a turn after 8 ms of it.
 */
export class TimeSlice {
  #endMs = performance.now() + SLICE_MS;
  #restMs = 0;
  #steps = 0;
  #every = 1;
  #lookedMs = performance.now();

  /** To be called at each step: whether it is the others' turn. */
  get over(): boolean {
    if (++this.#steps < this.#every) return false;
    this.#steps = 0;
    const now = performance.now();
    const took = now - this.#lookedMs;
    this.#lookedMs = now;
    const next = took > LOOK_MS ? Math.floor((this.#every * LOOK_MS) / took) : this.#every * 2;
    this.#every = Math.max(1, Math.min(next, MOST_STEPS));
    return now >= this.#endMs;
  }

  /** Before a wait for something else, which is none of the walk's time. */
  rest(): void {
    this.#restMs = performance.now();
  }

  /** After that wait. */
  resume(): void {
    const rested = performance.now() - this.#restMs;
    this.#endMs += rested;
    this.#lookedMs += rested;
  }

  /** Gives the others their turn. */
  async turn(): Promise<void> {
    await nextTurn();
    this.#lookedMs = performance.now();
    this.#endMs = this.#lookedMs + SLICE_MS;
  }
}
