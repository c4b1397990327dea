import { beforeEach, expect, test } from 'vitest';
import { clockAheadStore, setClockAhead } from './server-clock.ts';

beforeEach(() => clockAheadStore.set(0));

test.for<[measured: readonly number[], ahead: number]>([
  [[1_900], 0],
  [[-1_900], 0],
  [[3_600_400], 3_600_000],
  [[-90_600], -91_000],
  // A slow answer now and then is no other clock.
  [[3_600_000, 3_599_100], 3_600_000],
  [[3_600_000, 600], 0],
  [[3_600_000, 7_200_000], 7_200_000],
])('measured %j: %i ms ahead', ([measured, ahead]) => {
  for (const each of measured) setClockAhead(each);
  expect(clockAheadStore.get()).toBe(ahead);
});
