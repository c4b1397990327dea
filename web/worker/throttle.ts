/** Calls at once, then at most every `intervalMs`; a call in between is made up for at the end of the interval. */
export class Throttle {
  readonly #intervalMs: number;
  readonly #run: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #again = false;

  constructor(intervalMs: number, run: () => void) {
    this.#intervalMs = intervalMs;
    this.#run = run;
  }

  request(): void {
    if (this.#timer !== undefined) {
      this.#again = true;
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (!this.#again) return;
      this.#again = false;
      this.request();
    }, this.#intervalMs);
    this.#run();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
