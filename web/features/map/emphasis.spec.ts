import { expect, test } from 'vitest';
import { type Attention, standing } from './emphasis.ts';

const cards = new Set(['a', 'b', 'c', 'd']);
const edges = ['ab', 'bc', 'cd'].map((key) => ({ key, source: key[0], destination: key[1] }));
const NOTHING: Attention = { selected: null, hovered: null, focused: null, found: undefined };

function told(attention: Partial<Attention>) {
  const of = standing({ ...NOTHING, ...attention }, cards, edges);
  return {
    aside: [...cards].filter((card) => of.isAside(card)).join(''),
    edges: edges.map((edge) => of.edge(edge) ?? '-').join(' '),
  };
}

test('nothing stands out by itself', () => {
  expect(told({})).toEqual({ aside: '', edges: '- - -' });
});

test('a selected card stands out with its neighbours and their arrows', () => {
  expect(told({ selected: 'b' })).toEqual({ aside: 'd', edges: 'near near aside' });
});

test('a selected arrow stands out with its ends', () => {
  expect(told({ selected: 'b>c' })).toEqual({ aside: 'ad', edges: 'aside chosen aside' });
});

test('what is selected but not on the map leaves it as it is', () => {
  expect(told({ selected: 'gone' })).toEqual({ aside: '', edges: '- - -' });
  expect(told({ selected: 'gone>lost' })).toEqual({ aside: '', edges: '- - -' });
});

test('what is pointed at or has the focus shows its arrows', () => {
  expect(told({ hovered: 'c' })).toEqual({ aside: '', edges: '- near near' });
  expect(told({ focused: 'cd', selected: 'a' })).toEqual({ aside: 'cd', edges: 'near aside chosen' });
});

test('what is looked for stands out, with the arrows between', () => {
  expect(told({ found: new Set(['a', 'b']) })).toEqual({ aside: 'cd', edges: '- aside aside' });
  expect(told({ found: new Set(['c', 'd', 'bc']) })).toEqual({ aside: 'ab', edges: 'aside - -' });
});
