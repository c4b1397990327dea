import { create } from '@bufbuild/protobuf';
import { type Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { InvalidValueError } from '#runtime/settings/parsers.ts';

const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const RELATIVE = /^(?:0|(?:\d+(?:\.\d+)?(?:[nuµm]?s|m|h|d))+)$/;

/** A point in time: how long ago (`90s`, `1h30m`), or RFC 3339 with up to nine digits of a second, or a date. */
export function pointInTime(text: string, nowMs: number = Date.now()): Timestamp {
  if (RELATIVE.test(text)) {
    let ago = 0;
    for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)([nuµm]?s|m|h|d)/g))
      ago += Number(amount) * UNITS[unit];
    return timestamp(nowMs - ago, 0);
  }
  const parts = /^(\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?$/i.exec(text);
  const ms =
    parts === null
      ? Number.NaN
      : Date.parse(`${parts[1].replace(' ', 'T')}${parts[3] ?? (parts[1].length > 10 ? '' : 'Z')}`);
  if (Number.isNaN(ms)) {
    throw new InvalidValueError('how long ago, such as 30s or 5m, or a time such as 2026-11-21T09:26:56Z');
  }
  return timestamp(ms, Number((parts![2] ?? '').padEnd(9, '0')));
}

function timestamp(ms: number, moreNanos: number): Timestamp {
  const seconds = Math.floor(ms / 1_000);
  const nanos = Math.round((ms - seconds * 1_000) * 1e6) + moreNanos;
  return create(TimestampSchema, { seconds: BigInt(seconds), nanos });
}
