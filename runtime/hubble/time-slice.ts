import { setImmediate as nextTurn } from 'node:timers/promises';

const SLICE_MS = 8;
/** The clock is looked at after so many steps. */
const STEPS = 64;

/**
 * For walks over many rows with a question that somebody else has asked, which may be a costly one (CEL takes 200 µs): everybody else
 * gets a turn after 8 ms of it.
 */
export class TimeSlice {
  #endMs = performance.now() + SLICE_MS;
  #restMs = 0;
  #steps = 0;

  /** To be called at each step: whether it is the others' turn. */
  get over(): boolean {
    if (++this.#steps < STEPS) return false;
    this.#steps = 0;
    return performance.now() >= this.#endMs;
  }

  /** Before a wait for something else, which is none of the walk's time. */
  rest(): void {
    this.#restMs = performance.now();
  }

  /** After that wait. */
  resume(): void {
    this.#endMs += performance.now() - this.#restMs;
  }

  /** Gives the others their turn. */
  async turn(): Promise<void> {
    await nextTurn();
    this.#endMs = performance.now() + SLICE_MS;
  }
}
