import fc from 'fast-check';
import { expect, it } from 'vitest';
import { changedList, listChange } from './list-change.ts';

interface Entry {
  readonly key: string;
  readonly says: number;
}

const isSame = (a: Entry, b: Entry) => a.says === b.says;
const lists = fc.uniqueArray(fc.record({ key: fc.string({ maxLength: 2 }), says: fc.nat(2) }), {
  selector: ({ key }) => key,
});

it('tells any list by the one before', () => {
  fc.assert(
    fc.property(lists, lists, (before, after) => {
      expect(changedList(before, listChange(before, after, isSame))).toEqual(after);
    }),
  );
});

it('tells only what is new or different, and keeps the rest as it is', () => {
  const [a, b] = [
    { key: 'a', says: 1 },
    { key: 'b', says: 1 },
  ];
  const change = listChange([a, b], [{ key: 'c', says: 1 }, { key: 'b', says: 2 }, { ...a }], isSame);
  expect(change.fresh.map(({ key }) => key)).toEqual(['c', 'b']);
  expect(changedList([a, b], change)[2]).toBe(a);
});
