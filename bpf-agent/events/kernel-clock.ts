import { realtimeNanos } from '../loader/libc.ts';

const SECOND = 1_000_000_000n;
const SAMPLES = 3;

/**
 * From the kernel's clock (CLOCK_MONOTONIC nanoseconds) to the wall clock. The wall clock is set and slewed while the
 * kernel's is not, so the offset is measured again every second.
 */
export class KernelClock {
  #offset = 0n;
  /** The high word that `#baseSeconds` and `#baseNanos` are the wall clock of; it changes every 4.3 s. */
  #high = -1;
  #baseSeconds = 0;
  #baseNanos = 0;
  /** Result of the last `convert`: seconds since 1970 and nanoseconds within. */
  seconds = 0;
  nanos = 0;

  constructor() {
    this.measure();
  }

  /** Takes the offset anew, from the sample with the least time between the two clocks' readings. */
  measure(): void {
    let best: { span: bigint; offset: bigint } | undefined;
    for (let sample = 0; sample < SAMPLES; sample++) {
      const before = process.hrtime.bigint();
      const wall = realtimeNanos();
      const after = process.hrtime.bigint();
      const span = after - before;
      if (best === undefined || span < best.span) best = { span, offset: wall - (before + span / 2n) };
    }
    this.setOffset(best!.offset);
  }

  /** @param offset wall clock less kernel clock, in nanoseconds */
  setOffset(offset: bigint): void {
    this.#offset = offset;
    this.#high = -1;
  }

  /** Converts a kernel time given as two 32-bit words; the result is in `seconds` and `nanos`, exact to the nanosecond. */
  convert(low: number, high: number): void {
    if (high !== this.#high) this.#rebase(high);
    const nanos = this.#baseNanos + low;
    const whole = Math.floor(nanos / 1e9);
    this.seconds = this.#baseSeconds + whole;
    this.nanos = nanos - whole * 1e9;
  }

  #rebase(high: number): void {
    const base = (BigInt(high) << 32n) + this.#offset;
    const nanos = ((base % SECOND) + SECOND) % SECOND;
    this.#high = high;
    this.#baseNanos = Number(nanos);
    this.#baseSeconds = Number((base - nanos) / SECOND);
  }

  /** How long ago that kernel time was, in milliseconds. */
  ageMs(low: number, high: number): number {
    return Number(process.hrtime.bigint() - ((BigInt(high) << 32n) | BigInt(low))) / 1e6;
  }

  get offset(): bigint {
    return this.#offset;
  }
}
