import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdentityIndex } from './identity-index.ts';
import { podLabels, RESERVED_LABELS } from './identity-labels.ts';
import { IN_NAMESPACE, POD_LABEL, type Requirement, requirement, selector, selectorText, selects } from './selector.ts';

const key = fc.constantFrom('a', 'b', 'c', 'd');
const value = fc.constantFrom('', 'x', 'y', 'z');
const labels = fc.dictionary(key, value, { maxKeys: 4 });
const entry: fc.Arbitrary<Requirement> = fc
  .record({
    key: fc.oneof(
      key.map((name) => `${POD_LABEL}${name}`),
      fc.constantFrom(IN_NAMESPACE, 'reserved:host', 'namespace:a'),
    ),
    operator: fc.constantFrom('In' as const, 'NotIn' as const, 'Exists' as const, 'DoesNotExist' as const),
    values: fc.array(value, { minLength: 1, maxLength: 3 }),
  })
  .map(({ key: name, operator, values }) => requirement(name, operator, operator.endsWith('In') ? values : []));
const requirements = fc.array(entry, { maxLength: 4 });
const pods = fc.array(fc.record({ podLabels: labels, namespaceLabels: labels, namespace: value }), { maxLength: 12 });

function indexOf(sets: readonly { podLabels: object; namespaceLabels: object; namespace: string }[]): IdentityIndex {
  return new IdentityIndex(
    new Map(
      sets.map((set, number) => [
        0x4000_0000 + number,
        { cluster: 'lab', serviceAccount: 'default', namedPorts: [], ...set } as never,
      ]),
    ),
  );
}

describe('a selector', () => {
  it('over an index selects whom its requirements hold for, one by one', () => {
    fc.assert(
      fc.property(pods, requirements, (sets, entries) => {
        const index = indexOf(sets);
        const wanted = selector(entries);
        const { list, has } = index.members(wanted);
        const all = [
          ...RESERVED_LABELS.values(),
          ...sets.map((set) => podLabels({ cluster: 'lab', serviceAccount: 'default', namedPorts: [], ...set })),
        ];
        const expected = all.flatMap((each, member) => (selects(wanted, each) ? [member] : []));
        expect(list).toEqual(expected);
        expect([...has].flatMap((bit, member) => (bit === 1 ? [member] : []))).toEqual(expected);
      }),
    );
  });

  it('means the same in whatever order its requirements and values stand', () => {
    fc.assert(
      fc.property(requirements, fc.array(fc.nat()), (entries, order) => {
        const shuffled = entries
          .map((each, at) => ({ ...each, values: [...each.values].reverse(), at: order[at] ?? at }))
          .sort((a, b) => a.at - b.at)
          .map(({ key: name, operator, values }) => requirement(name, operator, values));
        expect(selector(shuffled).key).toBe(selector(entries).key);
      }),
    );
  });

  it('with another requirement has another key', () => {
    fc.assert(
      fc.property(requirements, requirements, pods, (a, b, sets) => {
        if (selector(a).key !== selector(b).key) return;
        const index = indexOf(sets);
        expect(index.members(selector(a))).toBe(index.members(selector(b)));
      }),
    );
    expect(selector([requirement('pod:a', 'In', ['x,y'])]).key).not.toBe(
      selector([requirement('pod:a', 'In', ['x', 'y'])]).key,
    );
  });

  it('selects fewer or as many with each requirement more', () => {
    fc.assert(
      fc.property(pods, requirements, entry, (sets, entries, more) => {
        const index = indexOf(sets);
        const [wide, narrow] = [index.members(selector(entries)), index.members(selector([...entries, more]))];
        expect(narrow.list.every((member) => wide.has[member] === 1)).toBe(true);
      }),
    );
  });

  it('is told in words', () => {
    const text = (...entries: Requirement[]) => selectorText(selector(entries));
    expect(text(requirement(IN_NAMESPACE, 'Exists'))).toBe('any pod');
    expect(text(requirement(IN_NAMESPACE, 'In', ['stars']))).toBe('any pod of namespace stars');
    expect(text(requirement('pod:role', 'In', ['ui']), requirement(IN_NAMESPACE, 'In', ['stars']))).toBe(
      'role=ui of namespace stars',
    );
    expect(text(requirement('namespace:team', 'NotIn', ['a', 'b']), requirement('pod:x', 'DoesNotExist'))).toBe(
      'namespace team not in (a, b), no x',
    );
    expect(text(requirement('reserved:host', 'Exists'))).toBe('reserved:host');
  });
});
