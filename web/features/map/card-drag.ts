import { COLUMN_PITCH, columnX, PLATE_TITLE, snap } from '../../graph/geometry.ts';
import type { SceneCard, ScenePlate } from '../../graph/scene.ts';
import type { Point } from './point.ts';

/** Pixels a pointer moves before a press is a drag. */
const LEAST_MOVE = 5;

/** Cards that a person moves: one, or all of a plate by its title. */
export class CardDrag {
  readonly keys: ReadonlySet<string>;
  readonly plate: string | undefined;
  readonly #cards: readonly SceneCard[];
  readonly #from: Point;
  readonly #fromRendered: Point;
  /** How far they were moved, in map units. */
  by: Point = { x: 0, y: 0 };
  moved = false;

  constructor(cards: readonly SceneCard[], plate: string | undefined, from: Point, fromRendered: Point) {
    this.keys = new Set(cards.map(({ key }) => key));
    this.plate = plate;
    this.#cards = cards;
    this.#from = from;
    this.#fromRendered = fromRendered;
  }

  /** Returns whether it is a drag by now. */
  move(to: Point, rendered: Point): boolean {
    const far = Math.hypot(rendered.x - this.#fromRendered.x, rendered.y - this.#fromRendered.y);
    this.moved ||= far >= LEAST_MOVE;
    if (this.moved) this.by = { x: to.x - this.#from.x, y: to.y - this.#from.y };
    return this.moved;
  }

  /** Where they come to stand: in the columns next to where they were let go. */
  places(): Record<string, readonly [column: number, y: number]> {
    const columns = Math.round(this.by.x / COLUMN_PITCH);
    return Object.fromEntries(
      this.#cards.map(({ key, x, y }) => [key, [columnOf(x) + columns, snap(y + this.by.y)] as const]),
    );
  }
}

export function columnOf(x: number): number {
  return Math.round((x - columnX(0)) / COLUMN_PITCH);
}

/** The plate whose title lies at this point of the map. */
export function titleAt(plates: readonly ScenePlate[], { x, y }: Point): string | undefined {
  return plates.find(
    (plate) => x >= plate.x && x <= plate.x + plate.width && y >= plate.y && y <= plate.y + PLATE_TITLE,
  )?.id;
}
