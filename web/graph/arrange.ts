import { CARD_WIDTH, COLUMN_PITCH, snap } from './geometry.ts';
import { assignLayers, type IndexEdge } from './layering.ts';
import { orderLayers } from './ordering.ts';
import { stack } from './stacking.ts';

/** Something with a place: a card, or a whole plate. */
export interface Box {
  readonly height: number;
  /** Columns it takes. */
  readonly span: number;
}

export interface Placed {
  readonly column: number;
  readonly y: number;
}

const PASSES = 8;

/** What a drawing is to fit in. */
export interface Room {
  /** Width over height. */
  readonly aspect: number;
  /** So few pixels wide that cards are better seen below each other than small. */
  readonly narrow?: boolean | undefined;
  /** A room higher than wide: more columns than these cannot be read in it. */
  readonly columns?: number | undefined;
}

/** Lays out boxes in columns, arrows running to the right; parts without connection stand beside and below each other. */
export function arrange(boxes: readonly Box[], edges: readonly IndexEdge[], gap: number, room: Room): Placed[] {
  const placed: Placed[] = new Array(boxes.length);
  const parts = components(boxes.length, edges).map((members) => arrangePart(members, boxes, edges, gap, room));
  const area = parts.reduce((sum, part) => sum + part.columns * COLUMN_PITCH * (part.height + gap), 0);
  const widest = parts.reduce((most, part) => Math.max(most, part.columns), 1);
  const rowColumns = Math.max(widest, room.columns ?? Math.round(Math.sqrt(area * room.aspect) / COLUMN_PITCH));
  let column = 0;
  let top = 0;
  let rowHeight = 0;
  for (const part of parts) {
    if (column > 0 && column + part.columns > rowColumns) {
      column = 0;
      top += rowHeight + gap;
      rowHeight = 0;
    }
    for (const [box, at] of part.placed) placed[box] = { column: column + at.column, y: snap(top + at.y) };
    column += part.columns;
    rowHeight = Math.max(rowHeight, part.height);
  }
  return placed;
}

/** Connected parts, the largest first; members and parts otherwise in order of index. */
function components(count: number, edges: readonly IndexEdge[]): number[][] {
  const parent = Int32Array.from({ length: count }, (_, index) => index);
  const root = (box: number): number => {
    while (parent[box] !== box) box = parent[box] = parent[parent[box]];
    return box;
  };
  for (const { from, to } of edges) {
    const [a, b] = [root(from), root(to)];
    parent[Math.max(a, b)] = Math.min(a, b);
  }
  const parts = new Map<number, number[]>();
  for (let box = 0; box < count; box++) {
    const part = parts.get(root(box));
    if (part === undefined) parts.set(root(box), [box]);
    else part.push(box);
  }
  return [...parts.values()].sort((a, b) => b.length - a.length);
}

interface Part {
  readonly placed: readonly (readonly [box: number, at: Placed])[];
  readonly columns: number;
  readonly height: number;
}

function arrangePart(
  members: readonly number[],
  boxes: readonly Box[],
  edges: readonly IndexEdge[],
  gap: number,
  room: Room,
): Part {
  if (members.length === 1) {
    const [box] = members;
    return { placed: [[box, { column: 0, y: 0 }]], columns: boxes[box].span, height: boxes[box].height };
  }
  const local = new Map(members.map((box, index) => [box, index]));
  const inside = edges.flatMap(({ from, to, weight }) => {
    const [a, b] = [local.get(from), local.get(to)];
    return a === undefined || b === undefined ? [] : [{ from: a, to: b, weight }];
  });
  const own = members.map((box) => boxes[box]);
  const layers: number[][] = [];
  assignLayers(own.length, inside).forEach((layer, box) => {
    layers[layer] ??= [];
    layers[layer].push(box);
  });
  const ordered = orderLayers(
    layers.filter((layer) => layer !== undefined),
    inside,
    own.length,
  );
  const columns = wrap(ordered, own, gap, room.aspect);
  const bands =
    room.columns === undefined
      ? tuckUnder(columns, own, gap, room.aspect)
      : narrowed(columns, own, inside, gap, room.columns);
  const tops = settle(
    bands.map((band) => band.map(({ box }) => box)),
    own,
    inside,
    gap,
  );
  const columnOf: number[] = [];
  let at = 0;
  for (const band of bands) {
    for (const { box, offset } of band) columnOf[box] = at + offset;
    at += bandSpan(band, own);
  }
  const top = Math.min(...tops);
  const bottom = Math.max(...tops.map((y, box) => y + own[box].height));
  return {
    placed: members.map((box, index) => [box, { column: columnOf[index], y: tops[index] - top }] as const),
    columns: at,
    height: bottom - top,
  };
}

/** Boxes above each other that share columns; `offset` counts columns from the band's first. */
type Band = { readonly box: number; readonly offset: number }[];

/**
 * A drawing much wider than high wastes the page: then layers move under the one before, to its right end, where arrows still
 * run rightward. Only where a wide box (a plate) makes room for it, and never under the first layer, where readers begin.
 */
function tuckUnder(columns: readonly number[][], boxes: readonly Box[], gap: number, aspect: number): Band[] {
  let bands: Band[] = columns.map((column) => column.map((box) => ({ box, offset: 0 })));
  for (;;) {
    const now = pageFor(bands, boxes, gap, aspect);
    let best: { bands: Band[]; page: number } | undefined;
    for (let upper = 1; upper + 1 < bands.length; upper++) {
      const span = Math.max(bandSpan(bands[upper], boxes), bandSpan(bands[upper + 1], boxes));
      if (span < 2) continue;
      const tucked = bands[upper + 1].map(({ box }) => ({ box, offset: span - boxes[box].span }));
      // What is as wide as the one above begins where that begins, and arrows between them run back: only where the drawing
      // would be a ribbon otherwise.
      if (!isRibbon(bands, boxes, gap, aspect) && tucked.some(({ offset }) => offset === 0)) continue;
      const tried = [...bands.slice(0, upper), [...bands[upper], ...tucked], ...bands.slice(upper + 2)];
      const far = pageFor(tried, boxes, gap, aspect);
      if (far < (best?.page ?? now)) best = { bands: tried, page: far };
    }
    if (best === undefined) return bands;
    bands = best.bands;
  }
}

/**
 * In a narrow room columns that stand beside each other become one, until all of it can be read: where that makes the drawing
 * least higher, and few arrows run within a column. What stood further right stands lower.
 */
function narrowed(
  columns: readonly number[][],
  boxes: readonly Box[],
  edges: readonly IndexEdge[],
  gap: number,
  most: number,
): Band[] {
  let bands: Band[] = columns.map((column) => column.map((box) => ({ box, offset: 0 })));
  while (bands.length > 1 && bands.reduce((sum, band) => sum + bandSpan(band, boxes), 0) > most) {
    let best: { at: number; band: Band; cost: number } | undefined;
    for (let at = 0; at + 1 < bands.length; at++) {
      const [left, right] = [bands[at], bands[at + 1]];
      const span = Math.max(bandSpan(left, boxes), bandSpan(right, boxes));
      // Arrows run rightward still where there is a wide box above.
      const shift = span - bandSpan(right, boxes);
      const band = [...left, ...right.map(({ box, offset }) => ({ box, offset: offset + shift }))];
      const members = new Set(band.map(({ box }) => box));
      const within = edges.filter(({ from, to }) => members.has(from) && members.has(to)).length;
      const tried = [...bands.slice(0, at), band, ...bands.slice(at + 2)];
      const cost = sizeOf(tried, boxes, gap).height + within * ROW_COST;
      if (cost < (best?.cost ?? Number.POSITIVE_INFINITY)) best = { at, band, cost };
    }
    bands = [...bands.slice(0, best!.at), best!.band, ...bands.slice(best!.at + 2)];
  }
  return bands;
}

/** An arrow within a column is as bad as this much more height. */
const ROW_COST = 60;

function bandSpan(band: Band, boxes: readonly Box[]): number {
  return Math.max(...band.map(({ box, offset }) => offset + boxes[box].span));
}

/** Width of the page, as high as it should be, that the drawing fits in; of those alike the less high. */
function pageFor(bands: readonly Band[], boxes: readonly Box[], gap: number, aspect: number): number {
  const { width, height } = sizeOf(bands, boxes, gap);
  return Math.max(width, height * aspect) + 0.01 * height;
}

/** So long and low that on a page nothing could be read. */
function isRibbon(bands: readonly Band[], boxes: readonly Box[], gap: number, aspect: number): boolean {
  const { width, height } = sizeOf(bands, boxes, gap);
  return width > 8 * COLUMN_PITCH && width > 2 * aspect * height;
}

function sizeOf(bands: readonly Band[], boxes: readonly Box[], gap: number): { width: number; height: number } {
  return {
    width: bands.reduce((sum, band) => sum + bandSpan(band, boxes), 0) * COLUMN_PITCH,
    height: Math.max(...bands.map((band) => band.reduce((sum, { box }) => sum + boxes[box].height + gap, -gap))),
  };
}

/** Layers become columns; a layer that is too tall for a pleasant shape becomes several. */
function wrap(layers: readonly number[][], boxes: readonly Box[], gap: number, aspect: number): number[][] {
  let area = 0;
  let tallest = 0;
  for (const { height, span } of boxes) {
    area += (span * COLUMN_PITCH - (COLUMN_PITCH - CARD_WIDTH) / 2) * (height + gap);
    tallest = Math.max(tallest, height);
  }
  const most = Math.max(Math.sqrt(area / aspect) * 1.35, tallest + gap, 640);
  return layers.flatMap((layer) => {
    const total = layer.reduce((sum, box) => sum + boxes[box].height + gap, 0);
    const parts = Math.ceil(total / most);
    if (parts <= 1) return [layer];
    const columns: number[][] = [];
    let filled = Number.POSITIVE_INFINITY;
    for (const box of layer) {
      if (filled + boxes[box].height > total / parts && columns.length < parts) {
        columns.push([]);
        filled = 0;
      }
      columns[columns.length - 1].push(box);
      filled += boxes[box].height + gap;
    }
    return columns;
  });
}

/** Heights: each box is drawn to the mean of its neighbours, column by column, to and fro. Returns tops. */
function settle(
  columns: readonly number[][],
  boxes: readonly Box[],
  edges: readonly IndexEdge[],
  gap: number,
): number[] {
  const middle = new Float64Array(boxes.length);
  const rank = new Int32Array(boxes.length);
  columns.forEach((column, index) => {
    const total = column.reduce((sum, box) => sum + boxes[box].height + gap, -gap);
    let y = -total / 2;
    for (const box of column) {
      rank[box] = index;
      middle[box] = y + boxes[box].height / 2;
      y += boxes[box].height + gap;
    }
  });
  const neighbours: number[][] = boxes.map(() => []);
  /** Of its own column: they draw only who has no others, and would stay behind while its column moves. */
  const beside: number[][] = boxes.map(() => []);
  for (const { from, to } of edges) {
    const lists = rank[from] === rank[to] ? beside : neighbours;
    lists[from].push(to);
    lists[to].push(from);
  }
  let window: readonly [number, number] | undefined;
  for (let pass = 0; pass < PASSES; pass++) {
    const rightward = pass % 2 === 0;
    const both = pass >= PASSES - 2;
    if (pass === PASSES - 2) window = windowOf(columns, boxes, middle, gap);
    for (let step = 0; step < columns.length; step++) {
      const index = rightward ? step : columns.length - 1 - step;
      const column = columns[index];
      const wishes = column.map((box) => {
        let sum = 0;
        let count = 0;
        const others = neighbours[box].length > 0 ? neighbours[box] : beside[box];
        for (const other of others) {
          if (others !== beside[box] && !both && rank[other] < index !== rightward) continue;
          sum += middle[other];
          count++;
        }
        return count > 0 ? sum / count : middle[box];
      });
      const heights = column.map((box) => boxes[box].height);
      stack(wishes, heights, gap, both ? window : undefined).forEach((top, i) => {
        middle[column[i]] = top + heights[i] / 2;
      });
    }
  }
  return boxes.map((box, index) => snap(middle[index] - box.height / 2));
}

/** A little more than the tallest column: what is drawn beyond by those it talks to leaves the rest of the page empty. */
const WINDOW_SHARE = 1.1;

/** From where to where all columns stand, around the middle of all that is drawn. */
function windowOf(
  columns: readonly number[][],
  boxes: readonly Box[],
  middle: Float64Array,
  gap: number,
): readonly [low: number, high: number] {
  let [area, sum, tallest] = [0, 0, 0];
  for (const column of columns) {
    let total = -gap;
    for (const box of column) {
      const { height, span } = boxes[box];
      total += height + gap;
      area += height * span;
      sum += height * span * middle[box];
    }
    tallest = Math.max(tallest, total);
  }
  const half = (tallest * WINDOW_SHARE) / 2;
  return [sum / area - half, sum / area + half];
}
