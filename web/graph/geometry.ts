/**
 * Measures of the map, in its own units (pixels at zoom 1), on a grid of 8. Cards stand in columns of one pitch across the
 * whole map, so that the strips between columns are free from top to bottom: arrows change their height there, and pass
 * columns only where no card stands.
 */
export const GRID = 8;
export const CARD_WIDTH = 192;
const COLUMN_GAP = 80;
export const COLUMN_PITCH = CARD_WIDTH + COLUMN_GAP;
export const CARD_HEAD = 58;
export const DOOR_HEIGHT = 28;
/** Least distance between cards of one column. */
export const ROW_GAP = 32;
export const PLATE_SIDE = 24;
export const PLATE_TOP = 48;
/** The part of PLATE_TOP that holds the title. */
export const PLATE_TITLE = 36;
export const PLATE_BOTTOM = 28;
/** Least distance between plates, and between plates and cards without a plate. */
export const PLATE_GAP = 32;

export function cardHeight(doors: number): number {
  return doors === 0 ? CARD_HEAD : CARD_HEAD + doors * DOOR_HEIGHT + 6;
}

/** Left edge of a column. */
export function columnX(column: number): number {
  return column * COLUMN_PITCH;
}

/** Middle of the strip to the right of a column. */
export function stripX(column: number): number {
  return columnX(column) + CARD_WIDTH + COLUMN_GAP / 2;
}

/** Height, from the card's top, of the point where an arrow enters. `door` -1 = the card as a whole. */
export function doorY(door: number): number {
  return door < 0 ? CARD_HEAD / 2 : CARD_HEAD + door * DOOR_HEIGHT + DOOR_HEIGHT / 2 + 2;
}

export function snap(value: number): number {
  return Math.round(value / GRID) * GRID;
}

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}
