import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type { FlowColumns } from '#core/flow/columns.ts';
import { Code, StatusError } from '../grpc/service.ts';

type Times = Pick<FlowColumns, 'timeSeconds' | 'timeNanos'>;

interface Instant {
  readonly seconds: number;
  readonly nanos: number;
}

/** The `since` and `until` of a request; a flow at the very instant is within. */
export class TimeRange {
  readonly #since: Instant | undefined;
  readonly #until: Instant | undefined;

  /** Throws a StatusError for what is no time. */
  constructor(since: Timestamp | undefined, until: Timestamp | undefined) {
    this.#since = since && instant(since, 'since');
    this.#until = until && instant(until, 'until');
  }

  get begins(): boolean {
    return this.#since !== undefined;
  }

  has(times: Times, slot: number): boolean {
    return !(this.#since !== undefined && aheadMs(times, slot, this.#since) < 0) && !this.isPast(times, slot, 0);
  }

  /** Whether the row is later than the range's end, by more than `byMs`. */
  isPast(times: Times, slot: number, byMs: number): boolean {
    return this.#until !== undefined && aheadMs(times, slot, this.#until) > byMs;
  }
}

function aheadMs({ timeSeconds, timeNanos }: Times, slot: number, { seconds, nanos }: Instant): number {
  return (timeSeconds[slot] - seconds) * 1_000 + (timeNanos[slot] - nanos) / 1e6;
}

function instant({ seconds, nanos }: Timestamp, field: string): Instant {
  // 0001-01-01 to 9999-12-31, as protobuf has it.
  if (seconds < -62_135_596_800n || seconds > 253_402_300_799n || nanos < 0 || nanos > 999_999_999) {
    throw new StatusError(Code.INVALID_ARGUMENT, `${field} is not a time: ${seconds} s, ${nanos} ns`);
  }
  return { seconds: Number(seconds), nanos };
}
