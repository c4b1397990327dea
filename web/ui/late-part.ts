import { type ComponentType, type LazyExoticComponent, lazy } from 'react';
import { connectionStore } from '../live/session-client.ts';

/** Attempts with a server that answers: then it has no such file, as it is of another version. */
const MOST_ATTEMPTS = 3;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;

/**
 * A part of the page that is loaded when it is first wanted. A server that is away at that moment is waited for: until then its
 * place looks as it does while anything loads.
 */
// biome-ignore lint/suspicious/noExplicitAny: as `lazy` has it
export function latePart<C extends ComponentType<any>>(load: () => Promise<C>): LazyExoticComponent<C> {
  return lazy(async () => ({ default: await untilLoaded(load) }));
}

/** Rejects only when a server that answers does not give it. */
export async function untilLoaded<T>(load: () => Promise<T>): Promise<T> {
  let answered = 0;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    try {
      return await load();
    } catch (error) {
      if (connectionStore.get().phase === 'live') answered++;
      if (answered >= MOST_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}
