import type { Route } from '../../graph/route.ts';

/**
 * A route as Cytoscape describes an unbundled curve: for each control point its place along the line from start to end
 * (weight: 0 at the start, 1 at the end) and its distance from that line, to the right of it positive.
 */
export function relativeControls({ start, end, controls }: Route): { weights: string; distances: string } {
  const dx = end[0] - start[0];
  const dy = end[1] - start[1];
  const length = Math.max(Math.hypot(dx, dy), 1e-6);
  const weights: string[] = [];
  const distances: string[] = [];
  for (let i = 0; i < controls.length; i += 2) {
    const px = controls[i] - start[0];
    const py = controls[i + 1] - start[1];
    weights.push(((px * dx + py * dy) / (length * length)).toFixed(4));
    distances.push(((py * dx - px * dy) / length).toFixed(1));
  }
  return { weights: weights.join(' '), distances: distances.join(' ') };
}

/** The points where the arrow changes its height, in the free strips between columns: the last one first. */
export function turnsOf({ start, end, controls }: Route): [x: number, y: number][] {
  const turns: [number, number][] = [];
  for (let at = controls.length - 4; at >= 0; at -= 2) {
    if (controls[at] === controls[at + 2]) turns.push([controls[at], (controls[at + 1] + controls[at + 3]) / 2]);
  }
  return turns.length > 0 ? turns : [[(start[0] + end[0]) / 2, (start[1] + end[1]) / 2]];
}
