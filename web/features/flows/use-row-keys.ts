import { type KeyboardEvent, type RefObject, useEffect, useState } from 'react';

interface RowKeys {
  /** The row that the keyboard has reached; null = none. */
  readonly reached: number | null;
  reach(index: number | null): void;
  onKeyDown(event: KeyboardEvent): void;
}

/** Goes through the rows of a list by keyboard: arrows, pages, both ends; Enter or Space opens. */
export function useRowKeys(options: {
  readonly list: RefObject<HTMLElement | null>;
  readonly total: number;
  /** Rows that a page key goes by. */
  page(): number;
  /** The first row in view: where going through them begins. */
  first(): number;
  /** Brings the row into view, so that it is drawn. */
  show(index: number): void;
  open(index: number): void;
  close(): void;
}): RowKeys {
  const { list, total, page, first, show, open, close } = options;
  const [reached, reach] = useState<number | null>(null);
  // After every drawing: the row is there once the table has scrolled to it.
  useEffect(() => {
    const focused = document.activeElement;
    if (reached === null || list.current === null || !(focused instanceof HTMLElement)) return;
    if (focused !== list.current && (!list.current.contains(focused) || !focused.matches('[data-index]'))) return;
    // Scrolled out of view it has no element; the keys go on from it all the same.
    const row = list.current.querySelector<HTMLElement>(`[data-index="${reached}"]`) ?? list.current;
    if (row !== focused) row.focus({ preventScroll: true });
  });
  return {
    reached,
    reach,
    onKeyDown(event) {
      if (event.altKey || event.ctrlKey || event.metaKey) return;
      const at = reached ?? first();
      const steps: Record<string, number> = {
        ArrowDown: reached === null ? 0 : 1,
        ArrowUp: reached === null ? 0 : -1,
        PageDown: page(),
        PageUp: -page(),
        Home: -at,
        End: total - 1 - at,
      };
      const step = steps[event.key];
      if (step !== undefined && total > 0) {
        const next = Math.max(0, Math.min(total - 1, at + step));
        reach(next);
        show(next);
      } else if ((event.key === 'Enter' || event.key === ' ') && reached !== null) open(reached);
      else if (event.key === 'Escape') close();
      else return;
      event.preventDefault();
    },
  };
}
