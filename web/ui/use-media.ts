import { useSyncExternalStore } from 'react';

interface Media {
  readonly list: MediaQueryList;
  /** As of its last change: to be asked, the browser may have to work out the page's style first. */
  matches: boolean;
}

const known = new Map<string, Media>();

/** Whether a media query holds, kept up to date. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      const { list } = mediaOf(query);
      list.addEventListener('change', listener);
      return () => list.removeEventListener('change', listener);
    },
    () => mediaOf(query).matches,
  );
}

function mediaOf(query: string): Media {
  const before = known.get(query);
  if (before !== undefined) return before;
  const list = matchMedia(query);
  const media = { list, matches: list.matches };
  // The first of its listeners: the others find it changed.
  list.addEventListener('change', () => {
    media.matches = list.matches;
  });
  known.set(query, media);
  return media;
}
