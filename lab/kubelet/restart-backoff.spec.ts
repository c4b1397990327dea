import { expect, test } from 'vitest';
import { BACKOFF_RESET_MS, MAX_BACKOFF_MS, RestartBackoff } from './restart-backoff.ts';

test('a crashing container restarts at once, then after 1, 2, 4 … 30 seconds', () => {
  const backoff = new RestartBackoff();
  const pauses = Array.from({ length: 9 }, () => backoff.next(10));
  expect(pauses).toEqual([0, 1000, 2000, 4000, 8000, 16_000, MAX_BACKOFF_MS, MAX_BACKOFF_MS, MAX_BACKOFF_MS]);
});

test('after a long run it starts afresh', () => {
  const backoff = new RestartBackoff();
  for (let i = 0; i < 5; i++) backoff.next(10);
  expect(backoff.next(BACKOFF_RESET_MS)).toBe(0);
  expect(backoff.next(10)).toBe(1000);
});
