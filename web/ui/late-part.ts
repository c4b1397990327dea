import { type ComponentType, createElement, lazy, type ReactNode, useState } from 'react';
import { connectionStore } from '../live/session-client.ts';

/** Attempts with a server that answers: then it has no such file, as it is of another version. */
const MOST_ATTEMPTS = 3;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 5_000;

/** A part of the page that is loaded when it is first wanted. */
export interface LatePart<P> {
  (props: P): ReactNode;
  /** Loads it before it is wanted: then it is drawn at once. */
  preload(): void;
}

/**
 * A part of the page that is loaded when it is first wanted. A server that is away at that moment is waited for: until then its
 * place looks as it does while anything loads.
 */
export function latePart<P extends object>(load: () => Promise<ComponentType<P>>): LatePart<P> {
  let loaded: ComponentType<P> | undefined;
  const loading = async () => {
    loaded = await untilLoaded(load);
    return { default: loaded };
  };
  const Lazy = lazy(loading);
  // biome-ignore lint/correctness/noComponentHookFactories: as `lazy`, it is called once per part, outside of all components
  const Part = (props: P) => {
    // As it was first drawn: another type of component would be drawn anew, from nothing.
    const [Shown] = useState<ComponentType<P>>(() => loaded ?? Lazy);
    return createElement(Shown, props);
  };
  // Whoever wants it later asks again.
  const preload = () => void loading().catch(() => {});
  return Object.assign(Part, { preload });
}

/** Rejects only when a server that answers does not give it. */
export async function untilLoaded<T>(load: () => Promise<T>): Promise<T> {
  let answered = 0;
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(2 * wait, LONGEST_WAIT_MS)) {
    try {
      return await load();
    } catch (error) {
      if (await isRefused(error)) answered++;
      if (answered >= MOST_ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/**
 * Whether somebody answers and has no such file. A stream that goes on says nothing about it: it may have been open before the
 * line was lost.
 */
async function isRefused(error: unknown): Promise<boolean> {
  const file = /https?:\S+$/.exec(String(error))?.[0];
  // Not every browser says which file it was.
  if (file === undefined) return connectionStore.get().phase === 'live';
  const answer = await fetch(file, { method: 'HEAD', cache: 'no-store' }).catch(() => undefined);
  // A file that is there needs one that is not.
  return answer !== undefined && (answer.ok || answer.status === 404);
}
