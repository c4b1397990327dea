import { setImmediate as nextTurn } from 'node:timers/promises';

/** Lets one loop wait for a time, a call or the end, whichever comes first. */
export class WakeUp {
  readonly #signal: AbortSignal;
  #wake: (() => void) | undefined;
  #called = false;
  readonly call: () => void;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    this.call = () => {
      this.#called = true;
      this.#wake?.();
    };
  }

  /**
   * Returns after so many milliseconds, or as soon as `call` is or was called since the last time. Never before the event loop
   * has turned: loops that are late, all at once, would otherwise keep every socket waiting until they have caught up.
   */
  async wait(ms: number, heedCalls: boolean): Promise<void> {
    const called = heedCalls && this.#called;
    if (called || ms <= 0 || this.#signal.aborted) {
      if (called) this.#called = false;
      await nextTurn();
      return;
    }
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#signal.removeEventListener('abort', end);
        this.#wake = undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#signal.addEventListener('abort', end);
      if (heedCalls) this.#wake = end;
    });
    if (heedCalls) this.#called = false;
  }
}
