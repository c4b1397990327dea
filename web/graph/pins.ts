import { PLATE_GAP, type Rect, ROW_GAP, snap } from './geometry.ts';
import { type Block, blockRect, blocksOf, type LayoutInput, type Standing } from './layout.ts';

/** Where people put cards: the column, and the card's top. What was put somewhere last stands last. */
export type Pins = ReadonlyMap<string, Pick<Standing, 'column' | 'y'>>;

/**
 * Puts pinned cards where they belong; what would lie under them makes room, downwards, as do those that were pinned before.
 * Changes the layout in place.
 */
export function applyPins(input: LayoutInput, layout: Map<string, Standing>, pins: Pins): void {
  if (pins.size === 0) return;
  let any = false;
  for (const { key } of input.cards) {
    const pin = pins.get(key);
    const at = layout.get(key);
    if (pin === undefined || at === undefined) continue;
    any = true;
    layout.set(key, { ...at, column: pin.column, y: pin.y });
  }
  if (!any) return;
  const blocks = blocksOf(input);
  const rank = new Map([...pins.keys()].map((key, index) => [key, index + 1]));
  for (const block of blocks) makeRoomInColumns(block, layout, rank);
  makeRoomForBlocks(blocks, layout, rank);
}

/** The later it was pinned the greater; 0 = it is not. */
type Rank = ReadonlyMap<string, number>;

/** Within a plate: free cards move down past those that are pinned and those already settled. */
function makeRoomInColumns(block: Block, layout: Map<string, Standing>, rank: Rank): void {
  const rankOf = (key: string) => rank.get(key) ?? 0;
  const columns = new Map<number, string[]>();
  for (const key of block.cards) {
    const { column } = layout.get(key)!;
    const keys = columns.get(column);
    if (keys === undefined) columns.set(column, [key]);
    else keys.push(key);
  }
  for (const keys of columns.values()) {
    if (!keys.some((key) => rank.has(key))) continue;
    keys.sort((a, b) => rankOf(b) - rankOf(a) || layout.get(a)!.y - layout.get(b)!.y);
    const settled: Standing[] = [];
    for (const key of keys) {
      const at = layout.get(key)!;
      const y = below(
        at.y,
        at.height,
        settled.map((other) => ({ top: other.y, bottom: other.y + other.height })),
        ROW_GAP / 2,
      );
      const moved = { ...at, y };
      layout.set(key, moved);
      settled.push(moved);
    }
  }
}

/** Plates and single cards: the one with what was pinned last stays, the others move down until they are free. */
function makeRoomForBlocks(blocks: readonly Block[], layout: Map<string, Standing>, rank: Rank): void {
  const rects = blocks.map((block) => ({
    block,
    rect: blockRect(block, layout),
    rank: Math.max(...block.cards.map((key) => rank.get(key) ?? 0)),
  }));
  const settled: Rect[] = [];
  for (const { block, rect } of rects.sort((a, b) => b.rank - a.rank || a.rect.y - b.rect.y)) {
    const inTheWay = settled
      .filter((other) => other.x < rect.x + rect.width && rect.x < other.x + other.width)
      .map(({ y, height }) => ({ top: y, bottom: y + height }));
    const y = below(rect.y, rect.height, inTheWay, PLATE_GAP);
    const shift = snap(y - rect.y);
    if (shift !== 0) {
      for (const key of block.cards) {
        const at = layout.get(key)!;
        layout.set(key, { ...at, y: at.y + shift });
      }
    }
    settled.push({ ...rect, y });
  }
}

/** The first top at or below `y` at which nothing overlaps. */
function below(
  y: number,
  height: number,
  taken: readonly { readonly top: number; readonly bottom: number }[],
  gap: number,
): number {
  let top = y;
  for (const other of taken.toSorted((a, b) => a.top - b.top)) {
    if (other.top < top + height && top < other.bottom) top = other.bottom + gap;
  }
  return top;
}
