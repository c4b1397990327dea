import { afterEach, expect, it, vi } from 'vitest';
import { TimeSlice } from './time-slice.ts';

const clock = vi.spyOn(performance, 'now');
let nowMs = 0;
clock.mockImplementation(() => nowMs);
afterEach(() => {
  nowMs = 0;
});

/** As many steps as it takes to look at the clock. */
const over = (slice: TimeSlice) => Array.from({ length: 64 }, () => slice.over).includes(true);

it('is over after 8 ms, until the others had their turn', async () => {
  const slice = new TimeSlice();
  nowMs = 7;
  expect(over(slice)).toBe(false);
  nowMs = 8;
  expect(over(slice)).toBe(true);
  await slice.turn();
  expect(over(slice)).toBe(false);
});

it('does not count the time in which the walk waits for something else', () => {
  const slice = new TimeSlice();
  nowMs = 3;
  slice.rest();
  nowMs = 1_000;
  slice.resume();
  nowMs = 1_004;
  expect(over(slice)).toBe(false);
  nowMs = 1_005;
  expect(over(slice)).toBe(true);
});

it('looks at the clock as often as steps are costly', async () => {
  const slice = new TimeSlice();
  let steps = 0;
  // After many quick ones, each takes 5 ms.
  while (steps++ < 1_000) expect(slice.over).toBe(false);
  const until = () => {
    for (steps = 1; !slice.over; steps++) nowMs += 5;
    return steps;
  };
  expect(until()).toBeLessThanOrEqual(16);
  await slice.turn();
  // Twice 5 ms are more than a slice.
  expect(until()).toBeLessThanOrEqual(3);
});
