import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MOST_SLOTS, slotsOf } from './slots.ts';

const backends = (...weights: number[]) => weights.map((weight, index) => ({ name: `10.0.0.${index}/80`, weight }));

function shares(slots: readonly number[], count: number): number[] {
  const found = new Array<number>(count).fill(0);
  for (const slot of slots) found[slot]!++;
  return found.map((each) => each / slots.length);
}

describe('slots', () => {
  it('by random: one each, or as often as the weights say in lowest terms', () => {
    expect(slotsOf(backends(1, 1, 1), 'random')).toEqual([0, 1, 2]);
    expect(slotsOf(backends(20, 10), 'random')).toEqual([0, 0, 1]);
    expect(slotsOf(backends(100, 0, 100), 'random')).toEqual([0, 2]);
    expect(slotsOf(backends(0), 'random')).toEqual([]);
    expect(slotsOf([], 'maglev')).toEqual([]);
  });

  it('give every backend its share, however many there are', () => {
    const weights = fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(weights, fc.constantFrom('random' as const, 'maglev' as const), (list, algorithm) => {
        const sum = list.reduce((total, weight) => total + weight, 0);
        const slots = slotsOf(backends(...list), algorithm);
        expect(slots.length).toBeLessThanOrEqual(MOST_SLOTS);
        if (sum === 0) {
          expect(slots).toEqual([]);
          return;
        }
        const off = algorithm === 'maglev' ? 0.02 : 0.001;
        for (const [index, share] of shares(slots, list.length).entries()) {
          expect(Math.abs(share - list[index]! / sum)).toBeLessThan(off);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('by Maglev: few move when a backend goes, and order does not matter', () => {
    const ten = backends(...new Array<number>(10).fill(1));
    const before = slotsOf(ten, 'maglev').map((index) => ten[index]!.name);
    const nine = ten.filter((_, index) => index !== 4).reverse();
    const after = slotsOf(nine, 'maglev').map((index) => nine[index]!.name);
    expect(after).toHaveLength(before.length);
    const moved = before.filter((name, slot) => name !== ten[4]!.name && after[slot] !== name).length;
    expect(moved / before.length).toBeLessThan(0.1);
    const shuffled = [...ten].reverse();
    expect(slotsOf(shuffled, 'maglev').map((index) => shuffled[index]!.name)).toEqual(before);
  });
});
