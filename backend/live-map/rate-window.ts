/** Rates are means over this many seconds, counted in buckets of one. */
export const RATE_SECONDS = 10;

/**
 * How much of a second's bucket lies within the last 10 s: the oldest one slides out as the newest one fills. Without it a steady
 * rate would be told up to a tenth too low, and rise and fall every second. 0 for seconds outside, also those to come.
 */
export function shareInWindow(second: number, nowMs: number): number {
  const age = Math.floor(nowMs / 1000) - second;
  if (age < 0 || age > RATE_SECONDS) return 0;
  return age < RATE_SECONDS ? 1 : 1 - (nowMs / 1000 - Math.floor(nowMs / 1000));
}

/** Whether a second is one of the last ten: what is counted, not told as a rate. */
export function isRecentSecond(second: number, nowMs: number): boolean {
  const age = Math.floor(nowMs / 1000) - second;
  return age >= 0 && age < RATE_SECONDS;
}
