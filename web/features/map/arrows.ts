import type { Rect } from '../../graph/geometry.ts';
import { isSameRoute, type Route, routeBounds } from '../../graph/route.ts';
import type { SceneEdge } from '../../graph/scene.ts';
import type { MapState } from '../../live/map-client.ts';
import { type ArrowLook, arrowLook, type Emphasis } from './arrow-look.ts';
import { shiftedRoute, traceRoute } from './curve.ts';
import { curvesOf, isNear } from './near-curve.ts';
import { paintArrow } from './paint-arrows.ts';
import type { Palette } from './palette.ts';
import { meets, type Point } from './point.ts';

/** Arrows above which a map is dense: they step back. */
const MANY = 300;
/** Arrows painted at once, at least. */
const PIECE = 16;

/** Where an arrow lies: found out when it is first asked for, which of most arrows nobody does. */
class Shape {
  readonly route: Route;
  #path: Path2D | undefined;
  #bounds: Rect | undefined;
  #curves: Float64Array | undefined;

  constructor(route: Route) {
    this.route = route;
  }

  get path(): Path2D {
    this.#path ??= pathOf(this.route);
    return this.#path;
  }

  get bounds(): Rect {
    this.#bounds ??= routeBounds(this.route);
    return this.#bounds;
  }

  isNear({ x, y }: Point, within: number): boolean {
    const { x: left, y: top, width, height } = this.bounds;
    if (x < left - within || y < top - within || x > left + width + within || y > top + height + within) return false;
    this.#curves ??= curvesOf(this.route);
    return isNear(this.#curves, x, y, within);
  }
}

interface Arrow {
  readonly edge: SceneEdge;
  readonly shape: Shape;
  emphasis: Emphasis;
  look: ArrowLook;
}

/** Cards that are moved, and how far, in map units. */
interface Drag {
  readonly keys: ReadonlySet<string>;
  readonly by: Point;
}

/** The arrows of the map: their curves made when they are first looked at, their looks once per change. */
export class Arrows {
  readonly #byKey = new Map<string, Arrow>();
  /** In the order they are drawn. */
  #drawn: Arrow[] = [];
  /** What their looks are taken from, when somebody looks. */
  #outdated: { readonly live: MapState['edges']; readonly palette: Palette } | undefined;
  /** What is taken from it when somebody looks. */
  #emphasisOf: ((edge: SceneEdge) => Emphasis) | undefined;

  get isDense(): boolean {
    return this.#byKey.size > MANY;
  }

  setScene(edges: Iterable<SceneEdge>): void {
    const before = new Map(this.#byKey);
    this.#byKey.clear();
    for (const edge of edges) {
      const known = before.get(edge.key);
      this.#byKey.set(edge.key, known?.edge === edge ? known : newArrow(edge, known));
    }
  }

  setEmphasis(of: (edge: SceneEdge) => Emphasis): void {
    this.#emphasisOf = of;
  }

  /** After the numbers, the emphasis or the palette changed. */
  refresh(live: MapState['edges'], palette: Palette): void {
    this.#outdated = { live, palette };
  }

  #fresh(): Arrow[] {
    if (this.#emphasisOf !== undefined) {
      for (const arrow of this.#byKey.values()) arrow.emphasis = this.#emphasisOf(arrow.edge);
      this.#emphasisOf = undefined;
    }
    if (this.#outdated === undefined) return this.#drawn;
    const { live, palette } = this.#outdated;
    this.#outdated = undefined;
    const dense = this.isDense;
    for (const arrow of this.#byKey.values()) {
      arrow.look = arrowLook(live.get(arrow.edge.key), arrow.emphasis, dense, palette);
    }
    this.#drawn = [...this.#byKey.values()].sort((a, b) => a.look.rank - b.look.rank);
    return this.#drawn;
  }

  /** Paints those that are seen, piece by piece. */
  *paint(
    context: CanvasRenderingContext2D,
    seen: Rect,
    palette: Palette,
    drag: Drag | undefined,
    hairline: number,
  ): Generator<undefined, void> {
    context.save();
    context.lineCap = 'butt';
    context.lineJoin = 'round';
    for (const [index, arrow] of this.#fresh().entries()) {
      if (index % PIECE === PIECE - 1) yield;
      const { edge, shape, look, emphasis } = arrow;
      if (drag !== undefined && hangsOn(edge, drag)) paintShifted(context, arrow, palette, drag, hairline);
      else if (meets(shape.bounds, seen)) {
        const chosen = emphasis === 'chosen';
        paintArrow(context, edge.route, look, { chosen, palette, hairline, line: () => context.stroke(shape.path) });
      }
    }
    context.restore();
  }

  /** Paints only those that touch this card, as they look when it is pointed at. */
  paintAt(context: CanvasRenderingContext2D, palette: Palette, card: string, hairline: number): void {
    context.save();
    context.lineCap = 'butt';
    context.lineJoin = 'round';
    for (const { edge, shape, look } of this.#fresh()) {
      if (edge.source !== card && edge.destination !== card) continue;
      const line = () => context.stroke(shape.path);
      paintArrow(context, edge.route, { ...look, alpha: 1 }, { palette, hairline, line });
    }
    context.restore();
  }

  /** Paints only those that hang on what is dragged. */
  paintMoved(context: CanvasRenderingContext2D, palette: Palette, drag: Drag, hairline: number): void {
    context.save();
    context.lineCap = 'butt';
    context.lineJoin = 'round';
    for (const arrow of this.#fresh()) {
      if (hangsOn(arrow.edge, drag)) paintShifted(context, arrow, palette, drag, hairline);
    }
    context.restore();
  }

  /** The arrow at this point of the map, within so many map units; of several the one drawn last. */
  at(point: Point, within: number): SceneEdge | undefined {
    const near = new Set<Arrow>();
    for (const arrow of this.#byKey.values()) if (arrow.shape.isNear(point, within)) near.add(arrow);
    // Which is drawn last is asked only where there is one: mostly there is none, and looks are many.
    return near.size === 0 ? undefined : this.#fresh().findLast((arrow) => near.has(arrow))?.edge;
  }
}

function hangsOn({ source, destination }: SceneEdge, { keys }: Drag): boolean {
  return keys.has(source) || keys.has(destination);
}

function paintShifted(
  context: CanvasRenderingContext2D,
  { edge, look, emphasis }: Arrow,
  palette: Palette,
  { keys, by }: Drag,
  hairline: number,
): void {
  const shift = (card: string) => (keys.has(card) ? ([by.x, by.y] as const) : ([0, 0] as const));
  const route = shiftedRoute(edge.route, { start: shift(edge.source), end: shift(edge.destination) });
  paintArrow(context, route, look, { chosen: emphasis === 'chosen', palette, hairline });
}

/** `known`: of the same key, in the scene before. */
function newArrow(edge: SceneEdge, known: Arrow | undefined): Arrow {
  const stands = known !== undefined && isSameRoute(known.edge.route, edge.route);
  return {
    edge,
    shape: stands ? known.shape : new Shape(edge.route),
    emphasis: known?.emphasis,
    look: known?.look ?? arrowLook(undefined, undefined, false, NO_PALETTE),
  };
}

/** Until the first `refresh` tells the colours. */
const NO_PALETTE = {} as Palette;

function pathOf(route: Route): Path2D {
  const path = new Path2D();
  traceRoute(path, route);
  return path;
}
