import { expect, test } from 'vitest';
import { formatByteRate, formatBytes, formatMicros } from './quantity.ts';

test('what is not known is a dash, what is nothing is nought', () => {
  expect(formatByteRate(1_200, 3)).toBe('1.2 kB/s');
  expect(formatByteRate(0, 0)).toBe('0 B/s');
  // Somebody else's Hubble tells of flows and not of their bytes.
  expect(formatByteRate(0, 3)).toBe('–');
  expect(formatMicros(0)).toBe('–');
  expect(formatBytes(0)).toBe('0 B');
});
