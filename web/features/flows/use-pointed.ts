import { type PointerEvent, useCallback, useEffect, useRef, useState } from 'react';

const LASTS_MS = 3_000;

/** Whether a mouse moved over something within the last seconds: whoever aims at a row should hit that row. */
export function usePointed(): { now: boolean; move(event: PointerEvent): void; end(): void } {
  const [now, setNow] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const end = useCallback(() => {
    clearTimeout(timer.current);
    setNow(false);
  }, []);
  const move = useCallback(
    (event: PointerEvent) => {
      if (event.pointerType === 'touch') return;
      clearTimeout(timer.current);
      timer.current = setTimeout(end, LASTS_MS);
      setNow(true);
    },
    [end],
  );
  useEffect(() => () => clearTimeout(timer.current), []);
  return { now, move, end };
}
