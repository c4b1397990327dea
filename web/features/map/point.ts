import type { Rect } from '../../graph/geometry.ts';

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Whether two rectangles have a point in common; borders count. */
export function meets(a: Rect, b: Rect): boolean {
  return a.x <= b.x + b.width && b.x <= a.x + a.width && a.y <= b.y + b.height && b.y <= a.y + a.height;
}
