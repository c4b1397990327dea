import type { EdgeLive } from '../../graph/live.ts';
import { QUIET_ALPHA } from '../../graph/quiet.ts';
import type { Route } from '../../graph/route.ts';
import { type Palette, verdictColor } from './palette.ts';
import type { Surface } from './surface.ts';
import { VERDICT_DASH } from './verdict-dash.ts';

const TIP = 7;

/** Draws an arrow as Cytoscape does on the screen, for exported drawings. */
export function paintEdge(surface: Surface, route: Route, live: EdgeLive | undefined, palette: Palette): void {
  const verdict = live?.verdict ?? 'quiet';
  const width = live?.width ?? 1.25;
  surface.save();
  surface.globalAlpha = verdict === 'quiet' ? 0.45 * QUIET_ALPHA[live?.quiet ?? 0] : 0.85;
  surface.lineWidth = width;
  surface.lineCap = 'butt';
  surface.lineJoin = 'round';
  surface.strokeStyle = verdict === 'mixed' ? palette.forwarded : verdictColor(palette, verdict);
  surface.setLineDash(VERDICT_DASH[verdict]);
  const { start, end, controls } = route;
  surface.beginPath();
  surface.moveTo(start[0], start[1]);
  for (let at = 0; at < controls.length; at += 2) {
    const [x, y] = [controls[at], controls[at + 1]];
    const isLast = at + 2 >= controls.length;
    // The curve runs through the middle between every two control points.
    const toX = isLast ? end[0] : (x + controls[at + 2]) / 2;
    const toY = isLast ? end[1] : (y + controls[at + 3]) / 2;
    surface.quadraticCurveTo(x, y, toX, toY);
  }
  if (controls.length === 0) surface.lineTo(end[0], end[1]);
  surface.stroke();
  surface.setLineDash([]);
  // Arrows always enter from the left.
  const size = TIP + width;
  surface.beginPath();
  surface.moveTo(end[0] + 1, end[1]);
  surface.lineTo(end[0] + 1 - size, end[1] - size / 2);
  surface.lineTo(end[0] + 1 - size, end[1] + size / 2);
  surface.closePath();
  surface.fillStyle = verdictColor(palette, verdict);
  surface.fill();
  surface.restore();
}
