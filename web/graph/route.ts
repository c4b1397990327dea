import { CARD_WIDTH, columnX, doorY, type Rect, stripX } from './geometry.ts';
import type { Layout } from './layout.ts';

/** Free height kept between an arrow and a card it passes. */
const CLEARANCE = 12;
/** How far a turning arrow swings out of its card. */
const SWING = 38;
/** Distance between arrows that pass through the same opening. */
const LANE = 7;
/** With more of them they run together: a bundle is easier to follow than a fan. */
const MOST_LANES = 5;
/** Where the tip ends, left of the card's edge: the door's ring lies between. */
const TIP_GAP = 8;

/**
 * The way of an arrow: from `start` over control points to `end`. They come in pairs: the first lie above each other in a strip,
 * where the arrow changes its height (`piecesOf`), the next beside each other, where it passes a column, and so on.
 */
export interface Route {
  readonly start: readonly [x: number, y: number];
  readonly end: readonly [x: number, y: number];
  /** x, y, x, y, … */
  readonly controls: readonly number[];
}

/** A cubic curve from where the piece before ended: both control points, then its end. */
export type Piece = readonly [x1: number, y1: number, x2: number, y2: number, x: number, y: number];

/** The curves an arrow is made of: an S in every strip, flat where it passes a column. */
export function piecesOf({ end, controls }: Route): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < controls.length; at += 8) {
    const [x1, y1, x2, y2] = controls.slice(at, at + 4);
    const isLast = at + 8 > controls.length;
    const [fromX, fromY, toX, toY] = isLast ? [...end, ...end] : controls.slice(at + 4, at + 8);
    pieces.push([x1, y1, x2, y2, fromX, fromY]);
    if (!isLast) pieces.push([fromX, fromY, toX, toY, toX, toY]);
  }
  return pieces;
}

export function isSameRoute(a: Route, b: Route): boolean {
  return isSame(a.start, b.start) && isSame(a.end, b.end) && isSame(a.controls, b.controls);
}

function isSame(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((value, at) => value === other[at]);
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

/** Something in a column that no arrow may cross, from top to bottom. */
export interface Obstacle {
  readonly column: number;
  readonly top: number;
  readonly bottom: number;
}

/**
 * Finds the arrows' ways: out of a card's right side, along the strips between columns, through columns only between cards,
 * into a door on the left side.
 */
export class Router {
  /** By column: sorted, not overlapping. */
  readonly #taken = new Map<number, [number, number][]>();
  readonly #lanes = new Map<string, number>();

  constructor(obstacles: readonly Obstacle[]) {
    for (const { column, top, bottom } of obstacles) {
      const span: [number, number] = [top - CLEARANCE, bottom + CLEARANCE];
      const taken = this.#taken.get(column);
      if (taken === undefined) this.#taken.set(column, [span]);
      else taken.push(span);
    }
    for (const [column, spans] of this.#taken) {
      spans.sort((a, b) => a[0] - b[0]);
      const merged: [number, number][] = [];
      for (const span of spans) {
        const last = merged.at(-1);
        if (last !== undefined && span[0] <= last[1] + 1) last[1] = Math.max(last[1], span[1]);
        else merged.push([...span]);
      }
      this.#taken.set(column, merged);
    }
  }

  route(layout: Layout, source: string, destination: string, door: number): Route {
    const from = layout.get(source)!;
    const to = layout.get(destination)!;
    const startY = from.y + from.height / 2;
    const endY = to.y + doorY(door);
    const start = [columnX(from.column) + CARD_WIDTH, startY] as const;
    const end = [columnX(to.column) - TIP_GAP, endY] as const;
    const controls: number[] = [];
    let y = startY;
    if (from.column < to.column) {
      for (let column = from.column; column < to.column; column++) {
        const last = column + 1 === to.column;
        const next = last ? endY : this.#lane(column + 1, y, endY);
        controls.push(stripX(column), y, stripX(column), next);
        if (!last) controls.push(columnX(column + 1), next, columnX(column + 1) + CARD_WIDTH, next);
        y = next;
      }
      return { start, end, controls };
    }
    // Backwards: swing out, travel left through each column, swing in.
    const right = columnX(from.column) + CARD_WIDTH + SWING;
    let x = right;
    for (let column = from.column; column >= to.column; column--) {
      const next = this.#lane(column, y, endY);
      controls.push(x, y, x, next, columnX(column) + CARD_WIDTH, next, columnX(column), next);
      y = next;
      x = column === to.column ? columnX(column) - SWING : stripX(column - 1);
    }
    controls.push(x, y, x, endY);
    return { start, end, controls };
  }

  /** A free height in a column on the way from one height to another, as straight as can be. */
  #lane(column: number, from: number, to: number): number {
    const taken = this.#taken.get(column) ?? [];
    let best = from;
    let bestCost = Number.POSITIVE_INFINITY;
    let bestGap = 0;
    let low = Number.NEGATIVE_INFINITY;
    for (let gap = 0; gap <= taken.length; gap++) {
      const high = gap < taken.length ? taken[gap][0] : Number.POSITIVE_INFINITY;
      if (high >= low) {
        const y = Math.min(Math.max(from, low), high);
        // The detour over both legs, and a little for the first bend.
        const cost = Math.abs(y - from) + Math.abs(to - y) + 0.1 * Math.abs(y - from);
        if (cost < bestCost) {
          bestCost = cost;
          best = y;
          bestGap = gap;
        }
      }
      if (gap < taken.length) low = taken[gap][1];
    }
    return this.#ownLane(column, bestGap, best, taken);
  }

  /** Arrows through one opening keep a little apart while there is room. */
  #ownLane(column: number, gap: number, y: number, taken: readonly (readonly [number, number])[]): number {
    const key = `${column}:${gap}:${Math.round(y / LANE)}`;
    const used = this.#lanes.get(key) ?? 0;
    this.#lanes.set(key, used + 1);
    const low = gap > 0 ? taken[gap - 1][1] : Number.NEGATIVE_INFINITY;
    const high = gap < taken.length ? taken[gap][0] : Number.POSITIVE_INFINITY;
    const lane = used % MOST_LANES;
    for (const offset of [lane * LANE, -lane * LANE]) {
      if (y + offset >= low && y + offset <= high) return y + offset;
    }
    return y;
  }
}
