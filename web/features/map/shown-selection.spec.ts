import { expect, test } from 'vitest';
import type { CardDetails } from '../../graph/details.ts';
import { shownSelection } from './shown-selection.ts';

const key = 'test/shop/Deployment/web';
const drawing = (...keys: string[]) => ({ scene: { cards: keys.map((each) => ({ key: each })) } });
const details = {
  kind: 'card',
  card: { key, cluster: 'test', namespace: 'shop', labels: ['k8s:app=web'], nodes: ['node-1'] },
} as unknown as CardDetails;

test('what is drawn is marked itself', () => {
  expect(shownSelection(key, drawing(key, 'plate:test/shop'), details, 'namespace')).toBe(key);
});

test('what is folded up is marked by its plate', () => {
  expect(shownSelection(key, drawing('plate:test/shop'), details, 'namespace')).toBe('plate:test/shop');
  expect(shownSelection(key, drawing('plate:node:test/node-1'), details, 'node')).toBe('plate:node:test/node-1');
});

test('what is nowhere stays what it is', () => {
  expect(shownSelection(key, drawing('plate:test/data'), details, 'namespace')).toBe(key);
  expect(shownSelection(key, null, details, 'namespace')).toBe(key);
  expect(shownSelection(key, drawing('plate:test/shop'), 'gone', 'namespace')).toBe(key);
});
