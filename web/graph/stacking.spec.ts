import { expect, test } from 'vitest';
import { stack } from './stacking.ts';

const heights = [40, 60, 20];

test('boxes stand where they wish, as far as they do not meet', () => {
  expect(stack([20, 130, 300], heights, 10)).toEqual([0, 100, 290]);
  const tops = stack([95, 100, 105], heights, 10).map(Math.round);
  expect(tops.map((top, at) => top + heights[at] + 10).slice(0, 2)).toEqual(tops.slice(1));
});

test('they stand between two heights where they have room there, else from the first', () => {
  expect(stack([-500, 130, 900], heights, 10, [0, 200])).toEqual([0, 100, 180]);
  expect(stack([-500, 130, 900], heights, 10, [0, 100])).toEqual([0, 50, 120]);
});
