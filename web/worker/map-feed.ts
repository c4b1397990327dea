import type { MapMessage } from './protocol.ts';

/** Messages that a map's worker may be behind: a port keeps all of them, and a worker whose script does not come takes none. */
const MOST_AHEAD = 32;

/** What a map's worker answers to each message, once it has taken it in. */
export const TAKEN = 'taken';

/** A `MessagePort`, as far as it is used here. */
export interface FeedPort {
  postMessage(message: MapMessage): void;
  onmessage: ((event: MessageEvent<typeof TAKEN>) => void) | null;
  close(): void;
}

/**
 * The line to a tab's map, with a bounded number of messages on it. What does not fit is left out: a map that has caught up is
 * told all there is by then, so nothing of it is missing in the end.
 */
export class MapFeed {
  readonly #port: FeedPort;
  readonly #caughtUp: (reset: boolean) => void;
  #ahead = 0;
  #behind = false;
  /** What was left out has the beginning of another view in it. */
  #reset = false;

  /** `caughtUp` is called when messages were left out and there is room again: it is to send everything, after a reset or not. */
  constructor(port: FeedPort, caughtUp: (reset: boolean) => void) {
    this.#port = port;
    this.#caughtUp = caughtUp;
    port.onmessage = () => this.#taken();
  }

  send(message: MapMessage): void {
    if (this.#behind || this.#ahead === MOST_AHEAD) {
      this.#behind = true;
      this.#reset ||= message.type === 'reset';
      return;
    }
    this.#ahead++;
    this.#port.postMessage(message);
  }

  close(): void {
    this.#port.close();
  }

  #taken(): void {
    this.#ahead--;
    if (!this.#behind || this.#ahead > 0) return;
    const reset = this.#reset;
    this.#behind = this.#reset = false;
    this.#caughtUp(reset);
  }
}
