import type { Rect } from '../../graph/geometry.ts';
import type { Point } from './point.ts';

/** Where the map is looked at from: a point of the map at (x, y) is at `zoom` times that, plus `pan`, of a frame of that size. */
export interface Camera {
  readonly zoom: number;
  readonly pan: Point;
  readonly width: number;
  readonly height: number;
}

/** The part of the map in view, and `margin` pixels around it, in map units. */
export function seenRect({ zoom, pan, width, height }: Camera, margin = 0): Rect {
  return {
    x: (-pan.x - margin) / zoom,
    y: (-pan.y - margin) / zoom,
    width: (width + 2 * margin) / zoom,
    height: (height + 2 * margin) / zoom,
  };
}

/** How what was painted from one place lies on the frame seen from another: scaled, then shifted. */
export function movedView(from: Camera, to: Camera): { scale: number; dx: number; dy: number } {
  const scale = to.zoom / from.zoom;
  return { scale, dx: to.pan.x - from.pan.x * scale, dy: to.pan.y - from.pan.y * scale };
}

/** Whether what was painted from one place, with `margin` pixels around the frame, fills the frame seen from another. */
export function coversView(from: Camera, margin: number, to: Camera): boolean {
  const { scale, dx, dy } = movedView(from, to);
  return (
    from.width === to.width &&
    from.height === to.height &&
    dx - margin * scale <= 0 &&
    dy - margin * scale <= 0 &&
    dx + (to.width + margin) * scale >= to.width &&
    dy + (to.height + margin) * scale >= to.height
  );
}
