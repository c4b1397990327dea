import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';

/** The last moment of the year 9999: later ones are none to protocol buffers, and cannot be written as a date. */
const LATEST_MS = 253_402_300_799_999;

/** Milliseconds since 1970; 0 where there is no moment, or one before that. */
export function milliseconds(time: Timestamp | undefined): number {
  return time === undefined ? 0 : Math.min(LATEST_MS, Math.max(0, timestampMs(time)));
}
