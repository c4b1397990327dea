import { type RefObject, useEffect, useState } from 'react';
import { behindPaint } from '../../ui/behind-paint.ts';

const DRAWER_WIDTH = 420;
/** Pixels of table that make it worth while to keep it beside the drawer. */
const LEAST_BESIDE = 480;

/**
 * Pixels of the table at the right that the drawer lies over, where there is room for both; else it lies over the table. All
 * rows are laid out anew for it, so it is taken in behind the frame that shows the drawer.
 */
export function useCovered(table: RefObject<HTMLElement | null>, room: number, open: boolean): number {
  const [covered, setCovered] = useState(0);
  useEffect(
    () =>
      behindPaint(() => {
        const within = open ? table.current?.closest('main')?.getBoundingClientRect() : undefined;
        if (within === undefined) return setCovered(0);
        const left = within.right - Math.min(DRAWER_WIDTH, within.width);
        const wanted = Math.max(0, Math.round(table.current!.getBoundingClientRect().right - left));
        setCovered(room - wanted >= LEAST_BESIDE ? wanted : 0);
      }),
    [table, room, open],
  );
  return covered;
}
