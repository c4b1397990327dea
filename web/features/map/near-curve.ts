import { piecesOf, type Route } from '../../graph/route.ts';

/** Straight lines a curve is taken for: within 2 units of one that is 1,000 high. */
const STEPS = 24;
/** Numbers of a piece: where it begins, two control points, where it ends. */
const PIECE = 8;

/** The curves of a route, each as four points x, y. */
export function curvesOf(route: Route): Float64Array {
  const pieces = piecesOf(route);
  if (pieces.length === 0) return Float64Array.of(...route.start, ...route.start, ...route.end, ...route.end);
  const curves = new Float64Array(pieces.length * PIECE);
  let from: readonly number[] = route.start;
  for (const [index, piece] of pieces.entries()) {
    curves.set(from, index * PIECE);
    curves.set(piece, index * PIECE + 2);
    from = piece.slice(4);
  }
  return curves;
}

/**
 * Whether a point is at most `within` from one of these curves. A pointer that moves asks this of thousands of arrows; asking a
 * canvas costs it the stroke of each.
 */
export function isNear(curves: Float64Array, x: number, y: number, within: number): boolean {
  for (let at = 0; at < curves.length; at += PIECE) {
    if (isInHull(curves, at, x, y, within) && isNearPiece(curves, at, x, y, within)) return true;
  }
  return false;
}

/** Whether it is in the rectangle around the four points, which a curve does not leave. */
function isInHull(c: Float64Array, at: number, x: number, y: number, within: number): boolean {
  return (
    Math.min(c[at], c[at + 2], c[at + 4], c[at + 6]) - within <= x &&
    Math.max(c[at], c[at + 2], c[at + 4], c[at + 6]) + within >= x &&
    Math.min(c[at + 1], c[at + 3], c[at + 5], c[at + 7]) - within <= y &&
    Math.max(c[at + 1], c[at + 3], c[at + 5], c[at + 7]) + within >= y
  );
}

function isNearPiece(c: Float64Array, at: number, x: number, y: number, within: number): boolean {
  let [fromX, fromY] = [c[at], c[at + 1]];
  for (let step = 1; step <= STEPS; step++) {
    const t = step / STEPS;
    const u = 1 - t;
    const [a, b, d, e] = [u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t];
    const toX = a * c[at] + b * c[at + 2] + d * c[at + 4] + e * c[at + 6];
    const toY = a * c[at + 1] + b * c[at + 3] + d * c[at + 5] + e * c[at + 7];
    if (squaredDistance(x, y, fromX, fromY, toX, toY) <= within * within) return true;
    [fromX, fromY] = [toX, toY];
  }
  return false;
}

/** From a point to a straight line between two others, squared. */
function squaredDistance(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const [dx, dy] = [bx - ax, by - ay];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length));
  const [offX, offY] = [ax + along * dx - x, ay + along * dy - y];
  return offX * offX + offY * offY;
}
