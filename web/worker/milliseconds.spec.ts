import { create } from '@bufbuild/protobuf';
import { TimestampSchema } from '@bufbuild/protobuf/wkt';
import { expect, test } from 'vitest';
import { formatMoment } from '../format/time.ts';
import { milliseconds } from './milliseconds.ts';

const at = (seconds: bigint) => milliseconds(create(TimestampSchema, { seconds, nanos: 7_000_000 }));

test('a moment is told in milliseconds, and what is none as the nearest that can be written', () => {
  expect([milliseconds(undefined), at(1_800_000_000n), at(-1n)]).toEqual([0, 1_800_000_000_007, 0]);
  for (const seconds of [2n ** 62n, -(2n ** 62n)]) {
    expect(new Date(at(seconds)).toISOString()).toMatch(/^(9999|1970)-/);
    expect(formatMoment(at(seconds))).toMatch(/^(9999|10000|1969|1970)-/);
  }
});
