import fc from 'fast-check';
import { expect, it } from 'vitest';
import { changedList, listChange } from './list-change.ts';

interface Entry {
  readonly key: string;
  readonly says: number;
  readonly lies: readonly { readonly at: number }[];
}

const entry: fc.Arbitrary<Entry> = fc.record({
  key: fc.string({ maxLength: 2 }),
  says: fc.nat(2),
  lies: fc.array(fc.record({ at: fc.nat(2) }), { maxLength: 2 }),
});
const lists = fc.uniqueArray(entry, { selector: ({ key }) => key });

it('tells any list by the one before', () => {
  fc.assert(
    fc.property(lists, lists, (before, after) => {
      expect(changedList(before, listChange(before, after))).toEqual(after);
    }),
  );
});

it('tells only what is new or different, and keeps the rest as it is', () => {
  const [a, b] = [
    { key: 'a', says: 1, lies: [{ at: 1 }] },
    { key: 'b', says: 1, lies: [{ at: 1 }] },
  ];
  const change = listChange([a, b], [{ ...a, key: 'c' }, { ...b, lies: [{ at: 2 }] }, structuredClone(a)]);
  expect(change.fresh.map(({ key }) => key)).toEqual(['c', 'b']);
  expect(changedList([a, b], change)[2]).toBe(a);
});
