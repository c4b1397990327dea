import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alternate, median, medianInterval, quantile } from './statistics.ts';

describe('quantile', () => {
  it('interpolates between neighbours', () => {
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([10, 20], 0.25)).toBe(12.5);
    expect(quantile([7], 0.99)).toBe(7);
  });

  it('sorts by size, not as text, and leaves its input alone', () => {
    const values = [100, 9, 20];
    expect(median(values)).toBe(20);
    expect(values).toEqual([100, 9, 20]);
  });

  it('lies within the values and rises with q', () => {
    const value = fc.double({ noNaN: true, min: -1e9, max: 1e9 });
    const share = fc.double({ noNaN: true, min: 0, max: 1 });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1 }), share, share, (values, p, q) => {
        const [low, high] = [quantile(values, Math.min(p, q)), quantile(values, Math.max(p, q))];
        expect(low).toBeLessThanOrEqual(high + 1e-6);
        expect(low).toBeGreaterThanOrEqual(Math.min(...values));
        expect(high).toBeLessThanOrEqual(Math.max(...values));
      }),
    );
  });

  it('refuses what has no answer', () => {
    expect(() => median([])).toThrow(RangeError);
    expect(() => quantile([1], 1.1)).toThrow(RangeError);
    expect(() => quantile([1], Number.NaN)).toThrow(RangeError);
  });
});

describe('alternate', () => {
  it('turns the order round and compares within each round', async () => {
    const order: string[] = [];
    const { ratios } = await alternate(3, {
      base: (round) => {
        order.push(`base ${round}`);
        return 10 + round;
      },
      changed: (round) => {
        order.push(`changed ${round}`);
        return (10 + round) * 2;
      },
    });
    expect(order).toEqual(['base 0', 'changed 0', 'changed 1', 'base 1', 'base 2', 'changed 2']);
    expect(ratios).toEqual([2, 2, 2]);
  });

  it('is not fooled by a machine that slows down steadily', async () => {
    let speed = 1;
    const side = () => {
      speed *= 0.9;
      return speed;
    };
    const { ratios } = await alternate(8, { base: side, changed: side });
    expect(median(ratios)).toBeCloseTo(1, 1);
  });
});

describe('medianInterval', () => {
  it('is the range while there are few values', () => {
    expect(medianInterval([3, 1, 2])).toEqual([1, 3]);
  });

  it('leaves out two values at each end of twelve', () => {
    // P(at most 2 of 12) = 1.93 %, P(at most 3) = 7.3 %.
    const values = Array.from({ length: 12 }, (_, index) => index);
    expect(medianInterval(values)).toEqual([2, 9]);
  });
});
