import { expect, test } from 'vitest';
import { dropsPerMinute, forwardedShare, triesPerSecond } from './summary.ts';

const nothing = { connections: 0, flows: 0, forwarded: 0, dropped: 0, audited: 0 };

test('every second connection denied is half of them, although one that lives makes four flows', () => {
  const fared = { ...nothing, connections: 10, flows: 50, forwarded: 400, dropped: 100 };
  expect(triesPerSecond(fared)).toBe(20);
  expect(forwardedShare(fared)).toBe(0.5);
  expect(dropsPerMinute(fared)).toBe(600);
});

test('where no connection is opened, flows are counted', () => {
  expect(forwardedShare({ ...nothing, flows: 10, forwarded: 50, dropped: 50 })).toBe(0.5);
  expect(forwardedShare({ ...nothing, flows: 10, dropped: 100 })).toBe(0);
  expect(forwardedShare({ ...nothing, flows: 10, audited: 100 })).toBe(1);
});

test('of nothing there is no share', () => {
  expect(forwardedShare(nothing)).toBe(-1);
  expect(triesPerSecond(nothing)).toBe(0);
  expect(dropsPerMinute(nothing)).toBe(0);
});
