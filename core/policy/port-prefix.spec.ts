import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EVERY_TRANSPORT,
  FULL_BITS,
  keyBits,
  keyPort,
  keyProtocol,
  rangeKeys,
  transportKey,
  widerKey,
} from './port-prefix.ts';

const port = fc.integer({ min: 0, max: 65_535 });
const range = fc.tuple(port, port).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);

/** The ports a key covers. */
function covered(key: number): readonly [number, number] {
  const size = 2 ** (FULL_BITS - keyBits(key));
  return [keyPort(key), keyPort(key) + size - 1];
}

describe('a range of ports as prefixes', () => {
  it('covers each of its ports once, and no other', () => {
    fc.assert(
      fc.property(range, ([first, last]) => {
        const blocks = rangeKeys(6, first, last).map(covered);
        let next = first;
        for (const [from, to] of blocks) {
          expect(from).toBe(next);
          next = to + 1;
        }
        expect(next).toBe(last + 1);
        expect(blocks.length).toBeLessThanOrEqual(30);
      }),
    );
  });

  it.each([
    [0, 65_535, 1],
    [80, 80, 1],
    [1, 65_534, 30],
    [1024, 65_535, 6],
  ])('%i to %i takes %i', (first, last, count) => {
    expect(rangeKeys(17, first, last)).toHaveLength(count);
  });

  it('keeps protocol, port and length in one small integer', () => {
    fc.assert(
      fc.property(fc.nat(255), port, fc.integer({ min: 8, max: 24 }), (protocol, number, bits) => {
        const key = transportKey(protocol, number, bits);
        expect([keyProtocol(key), keyBits(key)]).toEqual([protocol, bits]);
        expect(keyPort(key)).toBe(number & (0xffff << (24 - bits)) & 0xffff);
        expect(key).toBeLessThan(2 ** 30);
        expect(key).toBeGreaterThan(0);
      }),
    );
  });

  it('widens one bit at a time, from the port to its protocol to everything', () => {
    const lengths: number[] = [];
    let key: number | undefined = transportKey(6, 54_321, FULL_BITS);
    for (; key !== undefined; key = widerKey(key)) {
      lengths.push(keyBits(key));
      if (keyBits(key) > 0) {
        const [from, to] = covered(key);
        expect(from <= 54_321 && 54_321 <= to && keyProtocol(key) === 6).toBe(true);
      } else expect(key).toBe(EVERY_TRANSPORT);
    }
    expect(lengths).toEqual([...Array.from({ length: 17 }, (_, at) => 24 - at), 0]);
  });
});
