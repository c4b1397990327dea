import { CARD_WIDTH, cardHeight, columnX, PLATE_GAP, type Rect, ROW_GAP, snap } from './geometry.ts';
import {
  type Block,
  blockRect,
  blocksOf,
  freshLayout,
  type Layout,
  type LayoutInput,
  layoutBlock,
  type Standing,
} from './layout.ts';

/** With fewer known cards than this share, what stands is of no use: everything is laid out anew. */
const KEEP_SHARE = 0.4;

/** A plate that grows into others moves them, which is worse than a card further from those it talks to. */
const GROWTH_COST = 1000;
/** An arrow that runs back is worse than a long one. */
const BACKWARD_COST = 500;

/** Whether enough is known of where cards stood to go on from there. */
export function isKept(input: Pick<LayoutInput, 'cards'>, before: Layout): boolean {
  const known = input.cards.reduce((count, { key }) => count + (before.has(key) ? 1 : 0), 0);
  return known > 0 && known >= input.cards.length * KEEP_SHARE;
}

/**
 * Lays out a changed graph so that what stood, stays: a new card takes a free place near those it talks to, a new plate
 * stands beside its neighbours; only what would overlap moves, downwards. Cards in `back` return to where they stood, and rather
 * move themselves.
 */
export function updateLayout(input: LayoutInput, before: Layout, back: Layout = new Map()): Map<string, Standing> {
  if (!isKept(input, new Map([...before, ...back]))) return freshLayout(input);
  const layout = new Map<string, Standing>();
  const arrived: LayoutInput['cards'][number][] = [];
  for (const card of input.cards) {
    const stood = before.get(card.key) ?? back.get(card.key);
    if (stood === undefined) arrived.push(card);
    else layout.set(card.key, { ...stood, height: cardHeight(card.doors.length) });
  }
  const blocks = blocksOf(input);
  const grown = new Set<string>();
  for (const block of blocks) {
    if (separateCards(block, layout) || block.cards.some((key) => back.has(key))) grown.add(block.id);
  }
  const neighbours = neighbourKeys(input);
  const standing = (block: Block) => ({ ...block, cards: block.cards.filter((key) => layout.has(key)) });
  for (const card of arrived) {
    const block = blocks.find(({ id }) => id === card.plate);
    if (block === undefined || standing(block).cards.length === 0) continue;
    const room = roomBelow(standing(block), blocks.map(standing), layout);
    layout.set(card.key, placeInPlate(card, standing(block), layout, neighbours, room));
    grown.add(block.id);
  }
  const fresh = blocks.filter((block) => standing(block).cards.length === 0);
  for (const block of fresh) {
    placeBlock(
      block,
      input,
      layout,
      neighbours,
      blocks.map(standing).filter(({ cards }) => cards.length > 0),
    );
  }
  separateBlocks(blocks, layout, new Set([...grown, ...fresh.map(({ id }) => id)]));
  return layout;
}

interface Neighbours {
  readonly sources: ReadonlyMap<string, readonly string[]>;
  readonly destinations: ReadonlyMap<string, readonly string[]>;
}

function neighbourKeys(input: LayoutInput): Neighbours {
  const sources = new Map<string, string[]>();
  const destinations = new Map<string, string[]>();
  for (const { source, destination } of input.edges) {
    if (source === destination) continue;
    append(sources, destination, source);
    append(destinations, source, destination);
  }
  return { sources, destinations };
}

function append(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

/** Where those a card talks to would like it: a column and the middle of its height; undefined when none of them stands. */
function wish(keys: readonly string[], layout: Layout, { sources, destinations }: Neighbours) {
  let column: number | undefined;
  let firstDestination: number | undefined;
  let sum = 0;
  let count = 0;
  for (const key of keys) {
    for (const other of sources.get(key) ?? []) {
      const at = layout.get(other);
      if (at === undefined) continue;
      column = Math.max(column ?? Number.NEGATIVE_INFINITY, at.column + 1);
      sum += at.y + at.height / 2;
      count++;
    }
    for (const other of destinations.get(key) ?? []) {
      const at = layout.get(other);
      if (at === undefined) continue;
      firstDestination = Math.min(firstDestination ?? Number.POSITIVE_INFINITY, at.column - 1);
      sum += at.y + at.height / 2;
      count++;
    }
  }
  return { column: column ?? firstDestination, middle: count > 0 ? sum / count : undefined };
}

/** How far a plate can grow downwards before it moves another. */
function roomBelow(block: Block, blocks: readonly Block[], layout: Layout): number {
  const own = blockRect(block, layout);
  let room = Number.POSITIVE_INFINITY;
  for (const other of blocks) {
    if (other.id === block.id || other.cards.length === 0) continue;
    const rect = blockRect(other, layout);
    const beside = rect.x >= own.x + own.width || own.x >= rect.x + rect.width;
    if (!beside && rect.y >= own.y) room = Math.min(room, rect.y - own.y - own.height - PLATE_GAP);
  }
  return Math.max(0, room);
}

/** A place in the plate as it is, near those the card talks to; where it is full, it grows by one card at its foot. */
function placeInPlate(
  card: LayoutInput['cards'][number],
  block: Block,
  layout: Layout,
  neighbours: Neighbours,
  room: number,
): Standing {
  const height = cardHeight(card.doors.length);
  const cards = block.cards.map((key) => layout.get(key)!);
  const first = Math.min(...cards.map(({ column }) => column));
  const last = Math.max(...cards.map(({ column }) => column));
  const top = Math.min(...cards.map(({ y }) => y));
  const bottom = Math.max(...cards.map((at) => at.y + at.height));
  const wished = wish([card.key], layout, neighbours);
  const columnOf = (key: string) => layout.get(key)?.column;
  const sources = (neighbours.sources.get(card.key) ?? []).flatMap((key) => columnOf(key) ?? []);
  const destinations = (neighbours.destinations.get(card.key) ?? []).flatMap((key) => columnOf(key) ?? []);
  const wishedColumn = Math.min(Math.max(wished.column ?? last, first), last);
  const wishedTop = Math.min(Math.max(wished.middle ?? (top + bottom) / 2, top), bottom) - height / 2;
  let best: { column: number; y: number; cost: number } | undefined;
  for (let column = first; column <= last; column++) {
    const taken = cards
      .filter((at) => at.column === column)
      .map((at): [number, number] => [at.y - ROW_GAP, at.y + at.height + ROW_GAP])
      .sort((a, b) => a[0] - b[0]);
    const foot = taken.at(-1)?.[1] ?? top;
    const inside = freeTop(
      [[Number.NEGATIVE_INFINITY, top], ...taken, [bottom, Number.POSITIVE_INFINITY]],
      wishedTop,
      height,
    );
    const fits = !Number.isNaN(inside);
    const y = snap(fits ? inside : foot);
    const growth = Math.max(0, y + height - bottom);
    const backward = sources.filter((at) => at >= column).length + destinations.filter((at) => at <= column).length;
    const cost =
      Math.abs(y - wishedTop) +
      Math.abs(column - wishedColumn) * CARD_WIDTH +
      backward * BACKWARD_COST +
      Math.max(0, growth - room) * GROWTH_COST;
    if (best === undefined || cost < best.cost) best = { column, y, cost };
  }
  return { column: best!.column, y: best!.y, height };
}

/** The top nearest to the wished one at which `height` fits between the taken intervals (sorted). */
function freeTop(taken: readonly (readonly [number, number])[], wished: number, height: number): number {
  let best = Number.NaN;
  let from = Number.NEGATIVE_INFINITY;
  for (const [start, end] of [...taken, [Number.POSITIVE_INFINITY, 0] as const]) {
    if (start - from >= height) {
      const top = Math.min(Math.max(wished, from), start - height);
      if (Number.isNaN(best) || Math.abs(top - wished) < Math.abs(best - wished)) best = top;
    }
    from = Math.max(from, end);
  }
  return best;
}

/** Places a block of which nothing stood yet. */
function placeBlock(
  block: Block,
  input: LayoutInput,
  layout: Map<string, Standing>,
  neighbours: Neighbours,
  standing: readonly Block[],
): void {
  const inner = layoutBlock(block, input);
  const own = blockRect(block, inner);
  const others = standing.map((other) => blockRect(other, layout));
  const wished = wish(block.cards, layout, neighbours);
  const lastColumn = Math.max(...[...layout.values()].map(({ column }) => column));
  const column = wished.column ?? lastColumn + 1;
  const middle = wished.middle ?? others.reduce((sum, { y, height }) => sum + y + height / 2, 0) / others.length;
  let best: { column: number; top: number; cost: number } | undefined;
  for (const candidate of [column, column + 1, column - 1, column + 2, column - 2]) {
    const left = own.x + columnX(candidate);
    const taken = others
      .filter((rect) => rect.x < left + own.width && left < rect.x + rect.width)
      .map(({ y, height }): [number, number] => [y - PLATE_GAP, y + height + PLATE_GAP])
      .sort((a, b) => a[0] - b[0]);
    const top = freeTop(taken, middle - own.height / 2, own.height);
    const cost = Math.abs(top + own.height / 2 - middle) + Math.abs(candidate - column) * 2 * CARD_WIDTH;
    if (best === undefined || cost < best.cost) best = { column: candidate, top, cost };
  }
  const shift = snap(best!.top - own.y);
  for (const [key, at] of inner) {
    layout.set(key, { column: at.column + best!.column, y: at.y + shift, height: at.height });
  }
}

/** Cards that grew push those below them in their column. Returns whether any moved. */
function separateCards(block: Block, layout: Map<string, Standing>): boolean {
  const columns = new Map<number, string[]>();
  for (const key of block.cards) {
    const at = layout.get(key);
    if (at === undefined) continue;
    const column = columns.get(at.column);
    if (column === undefined) columns.set(at.column, [key]);
    else column.push(key);
  }
  let moved = false;
  for (const keys of columns.values()) {
    keys.sort((a, b) => layout.get(a)!.y - layout.get(b)!.y);
    let free = Number.NEGATIVE_INFINITY;
    for (const key of keys) {
      const at = layout.get(key)!;
      if (at.y < free) {
        layout.set(key, { ...at, y: free });
        moved = true;
      }
      free = layout.get(key)!.y + at.height + ROW_GAP / 2;
    }
  }
  return moved;
}

/** Blocks that overlap one that changed move down, those below them too where they must. */
function separateBlocks(blocks: readonly Block[], layout: Map<string, Standing>, changed: ReadonlySet<string>): void {
  const rects = blocks.map((block) => ({ block, rect: blockRect(block, layout), changed: changed.has(block.id) }));
  // What did not change is settled first, so that it stays unless something above it grew into it.
  rects.sort((a, b) => a.rect.y - b.rect.y || Number(a.changed) - Number(b.changed));
  const settled: Rect[] = [];
  for (const { block, rect } of rects) {
    let y = rect.y;
    for (let again = true; again; ) {
      again = false;
      for (const other of settled) {
        const beside = other.x >= rect.x + rect.width || rect.x >= other.x + other.width;
        if (beside || other.y >= y + rect.height || y >= other.y + other.height) continue;
        y = other.y + other.height + PLATE_GAP;
        again = true;
      }
    }
    if (y !== rect.y) {
      const shift = snap(y - rect.y);
      for (const key of block.cards) {
        const at = layout.get(key)!;
        layout.set(key, { ...at, y: at.y + shift });
      }
    }
    settled.push({ ...rect, y });
  }
}
