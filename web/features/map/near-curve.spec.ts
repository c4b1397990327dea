import { describe, expect, it } from 'vitest';
import { curvesOf, isNear } from './near-curve.ts';

/** An S from 0,0 to 100,200, flat to 200,200, and another to 300,0. */
const route = {
  start: [0, 0],
  end: [300, 0],
  controls: [50, 0, 50, 200, 100, 200, 200, 200, 250, 200, 250, 0],
} as const;

describe('a point at a route', () => {
  const curves = curvesOf(route);

  it.each([
    ['its start', 0, 0],
    ['the middle of the first turn', 50, 100],
    ['where it passes flat', 150, 200],
    ['the middle of the second turn', 250, 100],
    ['its end', 300, 0],
    ['a little beside it', 150, 204],
  ])('is near at %s', (_, x, y) => {
    expect(isNear(curves, x, y, 5)).toBe(true);
  });

  it.each([
    ['beside the first turn, within its rectangle', 20, 100],
    ['between the turns', 150, 100],
    ['before its start', -10, 0],
    ['too far beside it', 150, 206],
  ])('is not near %s', (_, x, y) => {
    expect(isNear(curves, x, y, 5)).toBe(false);
  });

  it('may be near a straight one', () => {
    const straight = curvesOf({ start: [0, 0], end: [100, 100], controls: [] });
    expect(isNear(straight, 50, 52, 3)).toBe(true);
    expect(isNear(straight, 50, 60, 3)).toBe(false);
  });
});
