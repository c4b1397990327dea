import type { Rect } from '../../graph/geometry.ts';
import type { Route } from '../../graph/route.ts';
import type { Surface } from './surface.ts';

/** How far the ends of an arrow are moved while a card is dragged. */
export interface Shift {
  readonly start: readonly [x: number, y: number];
  readonly end: readonly [x: number, y: number];
}

/** Traces a route: quadratic pieces that join in the middle between every two control points. */
export function traceRoute(
  path: Pick<Surface, 'moveTo' | 'lineTo' | 'quadraticCurveTo'>,
  { start, end, controls }: Route,
): void {
  path.moveTo(start[0], start[1]);
  for (let at = 0; at < controls.length; at += 2) {
    const [x, y] = [controls[at], controls[at + 1]];
    const isLast = at + 2 >= controls.length;
    const toX = isLast ? end[0] : (x + controls[at + 2]) / 2;
    const toY = isLast ? end[1] : (y + controls[at + 3]) / 2;
    path.quadraticCurveTo(x, y, toX, toY);
  }
  if (controls.length === 0) path.lineTo(end[0], end[1]);
}

/** A route whose ends were moved; what lies between follows in part. */
export function shiftedRoute({ start, end, controls }: Route, shift: Shift): Route {
  const last = Math.max(1, controls.length / 2 - 1);
  return {
    start: [start[0] + shift.start[0], start[1] + shift.start[1]],
    end: [end[0] + shift.end[0], end[1] + shift.end[1]],
    controls: controls.map((value, at) => {
      const share = Math.floor(at / 2) / last;
      return value + shift.start[at % 2] * (1 - share) + shift.end[at % 2] * share;
    }),
  };
}

/** The rectangle that holds a route; curves do not leave their control points' hull. */
export function routeBounds({ start, end, controls }: Route): Rect {
  let [left, right] = [Math.min(start[0], end[0]), Math.max(start[0], end[0])];
  let [top, bottom] = [Math.min(start[1], end[1]), Math.max(start[1], end[1])];
  for (let at = 0; at < controls.length; at += 2) {
    left = Math.min(left, controls[at]);
    right = Math.max(right, controls[at]);
    top = Math.min(top, controls[at + 1]);
    bottom = Math.max(bottom, controls[at + 1]);
  }
  return { x: left, y: top, width: right - left, height: bottom - top };
}

/** The points where the arrow changes its height, in the free strips between columns: the last one first. */
export function turnsOf({ start, end, controls }: Route): [x: number, y: number][] {
  const turns: [number, number][] = [];
  for (let at = controls.length - 4; at >= 0; at -= 2) {
    if (controls[at] === controls[at + 2]) turns.push([controls[at], (controls[at + 1] + controls[at + 3]) / 2]);
  }
  return turns.length > 0 ? turns : [[(start[0] + end[0]) / 2, (start[1] + end[1]) / 2]];
}
