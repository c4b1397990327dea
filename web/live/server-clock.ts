import { createStore } from './store.ts';

/** Nearer than this, two clocks count as one: what is measured here has been under way for a while. */
const SAME_MS = 2_000;

/**
 * How far the server's clock is ahead of this machine's, in milliseconds; 0 while they agree. Flows carry the servers' times, so
 * how long ago they were is counted by it.
 */
export const clockAheadStore = createStore(0);

/** What was measured last. What differs little from before changes nothing, so that nothing flickers. */
export function setClockAhead(measured: number): void {
  const before = clockAheadStore.get();
  const ahead = Math.abs(measured) < SAME_MS ? 0 : Math.round(measured / 1_000) * 1_000;
  if (Math.abs(ahead - before) >= SAME_MS || ahead === 0) clockAheadStore.set(ahead);
}
