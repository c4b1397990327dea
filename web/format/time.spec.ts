import { afterEach, describe, expect, test } from 'vitest';
import { formatAgo, formatClock, formatMoment, setTimeZone, timeZone } from './time.ts';

const AT = Date.UTC(2026, 10, 21, 2, 41, 7, 382);

afterEach(() => setTimeZone(''));

describe('a time of day', () => {
  test.for([
    ['UTC', '02:41:07.382', '2026-11-21 02:41:07.382 UTC'],
    ['Asia/Singapore', '10:41:07.382', '2026-11-21 10:41:07.382 UTC+8'],
    ['America/Los_Angeles', '18:41:07.382', '2026-11-20 18:41:07.382 UTC-8'],
  ] as const)('is written for %s', ([zone, clock, moment]) => {
    setTimeZone(zone);
    expect(timeZone()).toBe(zone);
    expect(formatClock(AT)).toBe(clock);
    expect(formatMoment(AT)).toBe(moment);
  });

  test('at midnight is 00, not 24', () => {
    setTimeZone('UTC');
    expect(formatClock(Date.UTC(2026, 0, 1))).toBe('00:00:00.000');
  });
});

test('how long ago something was, in one unit', () => {
  const ago = (seconds: number) => formatAgo(AT - seconds * 1000, AT, 1);
  expect([-5, 0.9, 1, 59, 60, 3599, 3600, 86_400].map(ago)).toEqual([
    'now',
    'now',
    '1 s ago',
    '59 s ago',
    '1 min ago',
    '59 min ago',
    '1 h ago',
    '1 d ago',
  ]);
});
