import { PLATE_GAP, type Rect, ROW_GAP, snap } from './geometry.ts';
import { type Block, blockRect, blocksOf, type LayoutInput, type Standing } from './layout.ts';

/** Where people put cards: the column, and the card's top. */
export type Pins = ReadonlyMap<string, Pick<Standing, 'column' | 'y'>>;

/** Puts pinned cards where they belong; what would lie under them makes room, downwards. Changes the layout in place. */
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
  for (const block of blocks) makeRoomInColumns(block, layout, pins);
  makeRoomForBlocks(blocks, layout, pins);
}

/** Within a plate: free cards move down past those that are pinned and those already settled. */
function makeRoomInColumns(block: Block, layout: Map<string, Standing>, pins: Pins): void {
  const columns = new Map<number, string[]>();
  for (const key of block.cards) {
    const { column } = layout.get(key)!;
    const keys = columns.get(column);
    if (keys === undefined) columns.set(column, [key]);
    else keys.push(key);
  }
  for (const keys of columns.values()) {
    if (!keys.some((key) => pins.has(key))) continue;
    const settled = keys.filter((key) => pins.has(key)).map((key) => layout.get(key)!);
    const free = keys.filter((key) => !pins.has(key)).sort((a, b) => layout.get(a)!.y - layout.get(b)!.y);
    for (const key of free) {
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

/** Plates and single cards: those with something pinned stay, the others move down until they are free. */
function makeRoomForBlocks(blocks: readonly Block[], layout: Map<string, Standing>, pins: Pins): void {
  const rects = blocks.map((block) => ({
    block,
    rect: blockRect(block, layout),
    fixed: block.cards.some((key) => pins.has(key)),
  }));
  const settled: Rect[] = rects.filter(({ fixed }) => fixed).map(({ rect }) => rect);
  for (const { block, rect } of rects.filter(({ fixed }) => !fixed).sort((a, b) => a.rect.y - b.rect.y)) {
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
