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
  options: { readonly chosen?: boolean; readonly palette: Palette; readonly line?: () => void },
): void {
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
    surface.lineWidth = look.width + HALO;
    surface.setLineDash([]);
    line();
  }
  surface.globalAlpha = look.alpha;
  surface.lineWidth = look.width;
  for (const { color, dash, offset } of look.strokes) {
    surface.strokeStyle = color;
    surface.setLineDash(dash);
    surface.lineDashOffset = offset;
    line();
  }
  paintTip(surface, route.end, look);
}

/** Arrows always enter from the left. */
function paintTip(surface: Surface, [x, y]: Route['end'], { tip, width }: ArrowLook): void {
  const size = TIP + width;
  surface.beginPath();
  surface.moveTo(x + 1, y);
  surface.lineTo(x + 1 - size, y - size / 2);
  surface.lineTo(x + 1 - size, y + size / 2);
  surface.closePath();
  surface.fillStyle = tip;
  surface.fill();
}
