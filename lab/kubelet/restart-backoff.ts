/** Longest pause before a crashing container's next start. */
export const MAX_BACKOFF_MS = 30_000;
/** A container that ran this long starts afresh: its next crash counts as its first. */
export const BACKOFF_RESET_MS = 60_000;

/** How long a crash-looping container waits before its next start: at once, then 1 s, 2 s, 4 s … 30 s. */
export class RestartBackoff {
  #failures = 0;

  /** @param ranMs how long the container had run when it ended. Returns milliseconds to wait. */
  next(ranMs: number): number {
    if (ranMs >= BACKOFF_RESET_MS) this.#failures = 0;
    const failures = this.#failures++;
    return failures === 0 ? 0 : Math.min(MAX_BACKOFF_MS, 1_000 * 2 ** (failures - 1));
  }
}
