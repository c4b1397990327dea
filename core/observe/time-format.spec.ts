import { expect, test } from 'vitest';
import { TIME_FORMATS, timeText } from './time-format.ts';

const time = { seconds: 1_795_253_216n, nanos: 120_450_000 };

test('times are written as the real command writes them', () => {
  expect(TIME_FORMATS.map((format) => timeText(time, format))).toEqual([
    'Nov 21 09:26:56.120',
    '2026-11-21',
    '2026-11-21T09Z',
    '2026-11-21T09:26Z',
    '2026-11-21T09:26:56Z',
    '2026-11-21T09:26:56.12Z',
    '2026-11-21T09:26:56.12045Z',
    '2026-11-21T09:26:56.12045Z',
    'Sat, 21 Nov 2026 09:26:56 +0000',
  ]);
  expect(timeText({ seconds: 1_793_491_200n, nanos: 999 }, 'StampMilli')).toBe('Nov  1 00:00:00.000');
  expect(timeText({ seconds: 0n, nanos: 0 }, 'RFC3339Milli')).toBe('1970-01-01T00:00:00Z');
});
