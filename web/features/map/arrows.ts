import type { Rect } from '../../graph/geometry.ts';
import { type Route, routeBounds } from '../../graph/route.ts';
import type { SceneEdge } from '../../graph/scene.ts';
import type { MapState } from '../../live/map-client.ts';
import { type ArrowLook, arrowLook, type Emphasis } from './arrow-look.ts';
import { shiftedRoute, traceRoute } from './curve.ts';
import { paintArrow } from './paint-arrows.ts';
import type { Palette } from './palette.ts';
import { meets, type Point } from './point.ts';

/** Arrows above which a map is dense: they step back, and are hidden while panning and zooming. */
const MANY = 300;

interface Arrow {
  readonly edge: SceneEdge;
  readonly path: Path2D;
  readonly bounds: Rect;
  emphasis: Emphasis;
  look: ArrowLook;
}

/** The arrows of the map: their curves made once per scene, their looks once per change. */
export class Arrows {
  readonly #byKey = new Map<string, Arrow>();
  /** In the order they are drawn. */
  #drawn: Arrow[] = [];
  #context: CanvasRenderingContext2D | undefined;

  get isDense(): boolean {
    return this.#byKey.size > MANY;
  }

  setScene(edges: Iterable<SceneEdge>): void {
    const before = new Map(this.#byKey);
    this.#byKey.clear();
    for (const edge of edges) {
      const known = before.get(edge.key);
      const stands = known !== undefined && isSameRoute(known.edge.route, edge.route);
      this.#byKey.set(edge.key, {
        edge,
        path: stands ? known.path : pathOf(edge.route),
        bounds: stands ? known.bounds : routeBounds(edge.route),
        emphasis: known?.emphasis,
        look: known?.look ?? arrowLook(undefined, undefined, false, NO_PALETTE),
      });
    }
  }

  setEmphasis(of: (edge: SceneEdge) => Emphasis): void {
    for (const arrow of this.#byKey.values()) arrow.emphasis = of(arrow.edge);
  }

  /** After the numbers, the emphasis or the palette changed. */
  refresh(live: MapState['edges'], palette: Palette): void {
    const dense = this.isDense;
    for (const arrow of this.#byKey.values()) {
      arrow.look = arrowLook(live.get(arrow.edge.key), arrow.emphasis, dense, palette);
    }
    this.#drawn = [...this.#byKey.values()].sort((a, b) => a.look.rank - b.look.rank);
  }

  paint(
    context: CanvasRenderingContext2D,
    seen: Rect,
    palette: Palette,
    drag: { readonly keys: ReadonlySet<string>; readonly by: Point } | undefined,
    hairline: number,
  ): void {
    this.#context = context;
    context.save();
    context.lineCap = 'butt';
    context.lineJoin = 'round';
    for (const { edge, path, bounds, look, emphasis } of this.#drawn) {
      const chosen = emphasis === 'chosen';
      const moved = drag !== undefined && (drag.keys.has(edge.source) || drag.keys.has(edge.destination));
      if (moved) {
        const by = [drag.by.x, drag.by.y] as const;
        const none = [0, 0] as const;
        const route = shiftedRoute(edge.route, {
          start: drag.keys.has(edge.source) ? by : none,
          end: drag.keys.has(edge.destination) ? by : none,
        });
        paintArrow(context, route, look, { chosen, palette, hairline });
      } else if (meets(bounds, seen)) {
        paintArrow(context, edge.route, look, { chosen, palette, hairline, line: () => context.stroke(path) });
      }
    }
    context.restore();
  }

  /** The arrow at this point of the map, within so many map units; of several the one drawn last. */
  at({ x, y }: Point, within: number): SceneEdge | undefined {
    const context = this.#context;
    if (context === undefined) return undefined;
    const around: Rect = { x: x - within, y: y - within, width: 2 * within, height: 2 * within };
    context.save();
    // Paths are in map units: so is the point.
    context.resetTransform();
    context.setLineDash([]);
    context.lineWidth = 2 * within;
    const found = this.#drawn.findLast(
      ({ bounds, path }) => meets(bounds, around) && context.isPointInStroke(path, x, y),
    );
    context.restore();
    return found?.edge;
  }
}

/** Until the first `refresh` tells the colours. */
const NO_PALETTE = {} as Palette;

function pathOf(route: Route): Path2D {
  const path = new Path2D();
  traceRoute(path, route);
  return path;
}

function isSameRoute(a: Route, b: Route): boolean {
  const isSame = (one: readonly number[], other: readonly number[]) =>
    one.length === other.length && one.every((value, at) => value === other[at]);
  return isSame(a.start, b.start) && isSame(a.end, b.end) && isSame(a.controls, b.controls);
}
