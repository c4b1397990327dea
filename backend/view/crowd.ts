/** Flows are sent at most this often while few watch, so that one batch holds many. */
const LEAST_MS = 25;
/** However many watch, nobody waits longer. */
const MOST_MS = 500;
/** With that many streams each adds this to the time between two batches: the process sends some two thousand a second. */
const PER_STREAM_MS = 0.5;

/** How many watch at once, over all audiences of the process: the more there are, the more each batch holds. */
export class Crowd {
  streams = 0;

  /** Between two batches of one stream. */
  get flowsEveryMs(): number {
    return Math.min(MOST_MS, Math.max(LEAST_MS, this.streams * PER_STREAM_MS));
  }
}
