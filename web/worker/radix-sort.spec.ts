import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sortByKey } from './radix-sort.ts';

describe('sorting by key', () => {
  it('agrees with a stable comparison sort, both ways', () => {
    const key = fc.oneof(fc.nat(3), fc.nat(5_000), fc.nat(2 ** 31 - 1), fc.constantFrom(0, 0xffffffff, 0x80000000));
    fc.assert(
      fc.property(fc.array(key, { maxLength: 300 }), fc.boolean(), (keys, descending) => {
        const order = Uint32Array.from(keys.keys());
        sortByKey(order, (value) => keys[value], descending);
        const expected = [...keys.keys()].sort((a, b) => (descending ? keys[b] - keys[a] : keys[a] - keys[b]));
        expect([...order]).toEqual(expected);
      }),
    );
  });
});
