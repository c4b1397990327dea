import { useEffect, useRef, useState } from 'react';
import type { Store } from '../live/store.ts';

/** Counts a store's changes, at most one per `intervalMs`: for what need not follow every one of them. */
export function useThrottled(store: Store<unknown>, intervalMs: number): number {
  const [moment, setMoment] = useState(0);
  const pending = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    const unsubscribe = store.subscribe(() => {
      pending.current ??= setTimeout(() => {
        pending.current = undefined;
        setMoment((before) => before + 1);
      }, intervalMs);
    });
    return () => {
      unsubscribe();
      clearTimeout(pending.current);
      pending.current = undefined;
    };
  }, [store, intervalMs]);
  return moment;
}
