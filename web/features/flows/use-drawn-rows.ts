import { useVirtualizer } from '@tanstack/react-virtual';
import type { RefObject } from 'react';

/** Pixels of every row. */
export const ROW_HEIGHT = 26;
/** Pixels of the header, which stays at the top. */
const HEADER_HEIGHT = 28;
/** Rows that come and go together: the virtualizer keeps something per item, and a table has up to a million rows. */
const BLOCK = 8;
/** Blocks drawn beyond those in view, on either side. */
const OVERSCAN = 1;

export interface DrawnRows {
  /** The first row to draw. */
  readonly first: number;
  /** How many to draw, fewer at the end of the table. The same wherever the table is scrolled to. */
  readonly count: number;
  /** Pixels of all rows. */
  readonly totalHeight: number;
  readonly scrolling: boolean;
  /** Pixels that it is scrolled down. */
  readonly top: number;
  /** Rows in view, and a few more: from, and up to but without. */
  readonly seen: readonly [from: number, to: number];
}

/** Rows beyond those in view that count as seen: a turn of the wheel goes so far. */
const NEAR = 4;

/** Which rows of a long table are to be drawn as it scrolls. */
export function useDrawnRows(scroller: RefObject<HTMLElement | null>, total: number): DrawnRows {
  const blocks = Math.ceil(total / BLOCK);
  const virtualizer = useVirtualizer({
    count: blocks,
    getScrollElement: () => scroller.current,
    estimateSize: () => BLOCK * ROW_HEIGHT,
    overscan: OVERSCAN,
  });
  const height = virtualizer.scrollRect?.height ?? 0;
  const drawn = Math.ceil(height / (BLOCK * ROW_HEIGHT)) + 1 + 2 * OVERSCAN;
  const inView = virtualizer.getVirtualItems()[0]?.index ?? 0;
  // Always as many, so that elements can be used again.
  const first = Math.max(0, Math.min(inView, blocks - drawn)) * BLOCK;
  const top = virtualizer.scrollOffset ?? 0;
  return {
    first,
    count: drawn * BLOCK,
    totalHeight: total * ROW_HEIGHT,
    scrolling: virtualizer.isScrolling,
    top,
    seen: [Math.floor(top / ROW_HEIGHT) - NEAR, Math.ceil((top + height) / ROW_HEIGHT) + NEAR],
  };
}

/** Scrolls as little as it takes to have the row in view. */
export function showRow(scroller: HTMLElement | null, index: number): void {
  if (scroller === null) return;
  const top = index * ROW_HEIGHT;
  const room = scroller.clientHeight - HEADER_HEIGHT - ROW_HEIGHT;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (top > scroller.scrollTop + room) scroller.scrollTop = top - room;
}
