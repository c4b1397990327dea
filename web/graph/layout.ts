import { arrange, type Box, type Room } from './arrange.ts';
import {
  CARD_WIDTH,
  COLUMN_PITCH,
  cardHeight,
  columnX,
  PLATE_BOTTOM,
  PLATE_GAP,
  PLATE_SIDE,
  PLATE_TOP,
  type Rect,
  ROW_GAP,
} from './geometry.ts';
import type { GroupedCard } from './group.ts';
import type { IndexEdge } from './layering.ts';

/** Where a card stands. */
export interface Standing {
  readonly column: number;
  /** Its top. */
  readonly y: number;
  readonly height: number;
}

/** Where nothing else is said: the room above the flow table. */
const ROOM: Room = { aspect: 2.3 };
/** For a narrow room; undefined = as many as there are. */
const COLUMNS_TRIED = [undefined, 6, 5, 4, 3, 2];
/** Cards above which a map is laid out once: it takes long. */
const MOST_TRIED = 200;

/** What the layout needs to know of a graph. */
export interface LayoutInput {
  /** What there is for it. */
  readonly room?: Room | undefined;
  readonly cards: readonly Pick<GroupedCard, 'key' | 'plate' | 'doors'>[];
  /** Weight 1 where none is given. */
  readonly edges: readonly { readonly source: string; readonly destination: string; readonly weight?: number }[];
}

export type Layout = ReadonlyMap<string, Standing>;

/** A plate with its cards, or a card without a plate: what is placed as a whole. */
export interface Block {
  readonly id: string;
  readonly isPlate: boolean;
  readonly cards: readonly string[];
}

export function blocksOf(input: LayoutInput): Block[] {
  const plates = new Map<string, string[]>();
  const blocks: Block[] = [];
  for (const { key, plate } of input.cards) {
    if (plate === '') {
      blocks.push({ id: key, isPlate: false, cards: [key] });
      continue;
    }
    const cards = plates.get(plate);
    if (cards === undefined) {
      const first = [key];
      plates.set(plate, first);
      blocks.push({ id: plate, isPlate: true, cards: first });
    } else {
      cards.push(key);
    }
  }
  return blocks;
}

/** The rectangle a block takes, with the border of its plate. */
export function blockRect(block: Block, layout: Layout): Rect {
  let left = Number.POSITIVE_INFINITY;
  let right = Number.NEGATIVE_INFINITY;
  let top = Number.POSITIVE_INFINITY;
  let bottom = Number.NEGATIVE_INFINITY;
  for (const key of block.cards) {
    const { column, y, height } = layout.get(key)!;
    left = Math.min(left, columnX(column));
    right = Math.max(right, columnX(column) + CARD_WIDTH);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y + height);
  }
  if (!block.isPlate) return { x: left, y: top, width: right - left, height: bottom - top };
  return {
    x: left - PLATE_SIDE,
    y: top - PLATE_TOP,
    width: right - left + 2 * PLATE_SIDE,
    height: bottom - top + PLATE_TOP + PLATE_BOTTOM,
  };
}

/** Lays out one block on its own, its first card's column and top at 0. */
export function layoutBlock(block: Block, input: LayoutInput): Map<string, Standing> {
  const index = new Map(block.cards.map((key, at) => [key, at]));
  const doors = new Map(input.cards.map((card) => [card.key, card.doors.length]));
  const boxes: Box[] = block.cards.map((key) => ({ height: cardHeight(doors.get(key) ?? 0), span: 1 }));
  const placed = arrange(
    boxes,
    indexEdges(input, (key) => index.get(key)),
    ROW_GAP,
    input.room ?? ROOM,
  );
  return new Map(block.cards.map((key, at) => [key, { ...placed[at], height: boxes[at].height }]));
}

/** Lays out everything anew: in a room that is narrow, or higher than wide, in as many columns as can be seen largest. */
export function freshLayout(input: LayoutInput): Map<string, Standing> {
  const { aspect, narrow = false } = input.room ?? ROOM;
  if ((aspect >= 1 && !narrow) || input.cards.length > MOST_TRIED) return layoutOnce(input);
  let best: { layout: Map<string, Standing>; size: number } | undefined;
  for (const columns of COLUMNS_TRIED) {
    const layout = layoutOnce({ ...input, room: { aspect, columns } });
    const size = sizeFor(layout, aspect);
    if (best === undefined || size < best.size * 0.98) best = { layout, size };
  }
  return best!.layout;
}

/** Width of the room in which this could be seen in its own size. */
function sizeFor(layout: Layout, aspect: number): number {
  let columns = 0;
  let [top, bottom] = [0, 0];
  for (const { column, y, height } of layout.values()) {
    columns = Math.max(columns, column + 1);
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y + height)];
  }
  return Math.max(columns * COLUMN_PITCH, (bottom - top + PLATE_TOP + PLATE_BOTTOM) * aspect);
}

/** Each plate inside, then plates and single cards among each other. */
function layoutOnce(input: LayoutInput): Map<string, Standing> {
  const blocks = blocksOf(input);
  const inner = blocks.map((block) => layoutBlock(block, input));
  const blockOf = new Map(blocks.flatMap((block, index) => block.cards.map((key) => [key, index] as const)));
  const boxes: Box[] = blocks.map((block, index) => {
    let span = 0;
    for (const { column } of inner[index].values()) span = Math.max(span, column + 1);
    return { height: blockRect(block, inner[index]).height, span };
  });
  const placed = arrange(
    boxes,
    indexEdges(input, (key) => blockOf.get(key)),
    PLATE_GAP,
    input.room ?? ROOM,
  );
  const layout = new Map<string, Standing>();
  blocks.forEach((block, index) => {
    const topOffset = block.isPlate ? PLATE_TOP : 0;
    for (const [key, at] of inner[index]) {
      layout.set(key, {
        column: placed[index].column + at.column,
        y: placed[index].y + topOffset + at.y,
        height: at.height,
      });
    }
  });
  return layout;
}

/** Edges between different boxes, one per pair, their weights added. */
function indexEdges(input: LayoutInput, indexOf: (key: string) => number | undefined): IndexEdge[] {
  const weights = new Map<number, Map<number, number>>();
  for (const { source, destination, weight = 1 } of input.edges) {
    const from = indexOf(source);
    const to = indexOf(destination);
    if (from === undefined || to === undefined || from === to) continue;
    const row = weights.get(from) ?? new Map<number, number>();
    weights.set(from, row);
    row.set(to, (row.get(to) ?? 0) + weight);
  }
  return [...weights].flatMap(([from, row]) => [...row].map(([to, weight]) => ({ from, to, weight })));
}
