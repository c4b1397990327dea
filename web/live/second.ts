import type { Store } from './store.ts';

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now();

/** The time in milliseconds since 1970, renewed every second while anything looks at it: one clock for all of the page. */
export const secondStore: Pick<Store<number>, 'get' | 'subscribe'> = {
  get: () => now,
  subscribe(listener) {
    listeners.add(listener);
    if (timer === undefined) {
      now = Date.now();
      timer = setInterval(() => {
        now = Date.now();
        for (const each of [...listeners]) each();
      }, 1_000);
    }
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  },
};
