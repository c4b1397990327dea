import type { Route } from '../../graph/route.ts';
import type { ArrowLook } from './arrow-look.ts';
import { traceRoute } from './curve.ts';
import type { Palette } from './palette.ts';
import type { Surface } from './surface.ts';

const TIP = 6;
/** Around a chosen arrow lies a band of the accent's colour, this much wider than the arrow. */
const HALO = 9;

/** Draws an arrow. `line` strokes its path; by default the path is traced. */
export function paintArrow(
  surface: Surface,
  route: Route,
  look: ArrowLook,
  options: {
    readonly chosen?: boolean;
    readonly palette: Palette;
    readonly line?: () => void /** Map units per pixel, at least 1: arrows and their dashes stay visible on a small map. */;
    readonly hairline?: number;
  },
): void {
  const { hairline = 1 } = options;
  const width = Math.max(look.width, 1.1 * hairline);
  const stretch = Math.min(3, hairline);
  const line =
    options.line ??
    (() => {
      surface.beginPath();
      traceRoute(surface, route);
      surface.stroke();
    });
  if (options.chosen) {
    surface.globalAlpha = 0.28;
    surface.strokeStyle = options.palette.accent;
    surface.lineWidth = width + HALO;
    surface.setLineDash([]);
    line();
  }
  surface.globalAlpha = look.alpha;
  surface.lineWidth = width;
  for (const { color, dash, offset } of look.strokes) {
    surface.strokeStyle = color;
    surface.setLineDash(dash.map((length) => length * stretch));
    surface.lineDashOffset = offset * stretch;
    line();
  }
  paintTip(surface, route.end, look.tip, width);
}

/** Arrows always enter from the left. */
function paintTip(surface: Surface, [x, y]: Route['end'], tip: string, width: number): void {
  const size = TIP + width;
  surface.beginPath();
  surface.moveTo(x + 1, y);
  surface.lineTo(x + 1 - size, y - size / 2);
  surface.lineTo(x + 1 - size, y + size / 2);
  surface.closePath();
  surface.fillStyle = tip;
  surface.fill();
}
