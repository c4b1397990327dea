/** Silence after which something begins to fade, as long as it is not to leave sooner. */
const FADE_AFTER_MS = 15_000;
export const QUIET_STEPS = 3;

/**
 * How far something has faded: 0 = in full, QUIET_STEPS = about to leave. In few steps, so that a quiet map is not redrawn
 * all the time.
 */
export function quietStep(silentMs: number, leaveAfterMs: number): number {
  const start = Math.min(FADE_AFTER_MS, leaveAfterMs / 3);
  if (silentMs <= start) return 0;
  return Math.min(QUIET_STEPS, 1 + Math.floor(((silentMs - start) / (leaveAfterMs - start)) * QUIET_STEPS));
}

/** Opacity of each step. */
export const QUIET_ALPHA: readonly number[] = [1, 0.75, 0.55, 0.4];
