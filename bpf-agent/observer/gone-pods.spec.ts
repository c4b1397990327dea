import { expect, test } from 'vitest';
import { GonePods } from './gone-pods.ts';

test('pods are due some time after they went, and once more, unless they came back', () => {
  const pods = new GonePods(60_000);
  const [a, b, node] = [
    { namespace: 'shop', pod: 'a' },
    { namespace: 'shop', pod: 'b' },
    { namespace: '', pod: '' },
  ];
  // A pod may have several addresses.
  pods.update([a, a, b, node], 0);
  pods.update([node], 1_000);
  expect(pods.due(60_999)).toEqual(new Set());
  pods.update([b, node], 60_999);
  expect(pods.due(61_000)).toEqual(new Set(['shop/a']));
  expect(pods.due(180_999)).toEqual(new Set());
  expect(pods.due(181_000)).toEqual(new Set(['shop/a']));
  expect(pods.due(900_000)).toEqual(new Set());
});
