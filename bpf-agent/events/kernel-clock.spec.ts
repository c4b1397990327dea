import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelClock } from './kernel-clock.ts';

function wall(clock: KernelClock, kernel: bigint): bigint {
  clock.convert(Number(kernel & 0xffff_ffffn), Number(kernel >> 32n));
  expect(clock.nanos).toBeGreaterThanOrEqual(0);
  expect(clock.nanos).toBeLessThan(1e9);
  return BigInt(clock.seconds) * 1_000_000_000n + BigInt(clock.nanos);
}

describe('kernel clock', () => {
  it('is exact to the nanosecond for any uptime and offset', () => {
    const clock = new KernelClock();
    const tenYears = 10n * 365n * 86_400n * 1_000_000_000n;
    const offsets = fc.bigInt({ min: 0n, max: 3_000_000_000n * 1_000_000_000n });
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: tenYears }), offsets, (kernel, offset) => {
        clock.setOffset(offset);
        expect(wall(clock, kernel)).toBe(kernel + offset);
      }),
      { numRuns: 2000 },
    );
  });

  it('works while the wall clock is behind the kernel clock', () => {
    const clock = new KernelClock();
    clock.setOffset(-1_500_000_000n);
    expect(wall(clock, 9_000_000_001n)).toBe(7_500_000_001n);
  });

  it('measures the machine: now is now', () => {
    const clock = new KernelClock();
    const before = BigInt(Date.now()) * 1_000_000n;
    const now = wall(clock, process.hrtime.bigint());
    const after = BigInt(Date.now() + 1) * 1_000_000n;
    expect(now).toBeGreaterThanOrEqual(before - 1_000_000n);
    expect(now).toBeLessThanOrEqual(after + 1_000_000n);
  });

  it('tells the age of a time', () => {
    const kernel = process.hrtime.bigint() - 250_000_000n;
    const age = new KernelClock().ageMs(Number(kernel & 0xffff_ffffn), Number(kernel >> 32n));
    expect(age).toBeGreaterThanOrEqual(250);
    expect(age).toBeLessThan(5000);
  });
});
