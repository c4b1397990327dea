import { piecesOf, type Route } from '../../graph/route.ts';
import type { Surface } from './surface.ts';

/** How far the ends of an arrow are moved while a card is dragged. */
export interface Shift {
  readonly start: readonly [x: number, y: number];
  readonly end: readonly [x: number, y: number];
}

/** Traces a route's pieces. */
export function traceRoute(path: Pick<Surface, 'moveTo' | 'lineTo' | 'bezierCurveTo'>, route: Route): void {
  path.moveTo(route.start[0], route.start[1]);
  const pieces = piecesOf(route);
  for (const piece of pieces) path.bezierCurveTo(...piece);
  if (pieces.length === 0) path.lineTo(route.end[0], route.end[1]);
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

/** The points where the arrow changes its height, in the free strips between columns: the last one first. */
export function turnsOf({ start, end, controls }: Route): [x: number, y: number][] {
  const turns: [number, number][] = [];
  for (let at = controls.length - 4; at >= 0; at -= 2) {
    if (controls[at] === controls[at + 2]) turns.push([controls[at], (controls[at + 1] + controls[at + 3]) / 2]);
  }
  return turns.length > 0 ? turns : [[(start[0] + end[0]) / 2, (start[1] + end[1]) / 2]];
}
