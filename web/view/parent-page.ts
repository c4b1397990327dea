import { followParentTheme, isThemeChoice } from '../theme/theme.ts';
import { isAllowedOrigin } from './frame-origins.ts';
import { parseView } from './url.ts';
import { changeView, viewStore } from './view-store.ts';

/** Longest query or key that is looked at. */
const MOST_TEXT = 8_192;

/** Between words that are followed: each may open streams at the server. Of those that come meanwhile the last of a kind counts. */
const REST_MS = 100;

/** What the page around may say. */
type Word =
  | { readonly type: 'waggle:theme'; readonly theme: 'dark' | 'light' | 'system' }
  /** What is shown, as the query part of an address says it: `namespace=shop&verdict=dropped`. */
  | { readonly type: 'waggle:view'; readonly view: string }
  /** A card or an arrow, as `select=` says it; null for none. */
  | { readonly type: 'waggle:select'; readonly select: string | null };

/**
 * In a frame, the page around this one may say its theme, what is to be shown, and what is selected:
 * `frame.contentWindow.postMessage({ type: 'waggle:theme', theme: 'light' }, origin)`. It is heard when its origin is this page's
 * own, or one that the server lets frame it, and is told of selections from then on. `waggle:ready` tells it when to begin.
 */
export function followParentPage(): void {
  const { parent } = window;
  if (parent === window) return;
  const origins = allowedOrigins();
  let heard: string | undefined;
  const said = new Map<Word['type'], { readonly word: Word; readonly origin: string }>();
  let resting = false;
  const followAll = async () => {
    resting = true;
    const allowed = await origins;
    const all = [...said.values()];
    said.clear();
    for (const { word, origin } of all) {
      if (!isAllowedOrigin(origin, allowed, location.origin)) continue;
      heard = origin;
      follow(word);
    }
    setTimeout(() => {
      resting = false;
      if (said.size > 0) void followAll();
    }, REST_MS);
  };
  addEventListener('message', (event: MessageEvent) => {
    if (event.source !== parent) return;
    const word = wordOf(event.data);
    if (word === null) return;
    said.delete(word.type);
    said.set(word.type, { word, origin: event.origin });
    if (!resting) void followAll();
  });
  let { select } = viewStore.get().view;
  viewStore.subscribe(() => {
    const now = viewStore.get().view.select;
    if (now === select) return;
    select = now;
    // It names workloads: told only to who has shown where it comes from.
    if (heard !== undefined) parent.postMessage({ type: 'waggle:selected', select }, heard);
  });
  // Says nothing but that it is there, so anyone may hear it.
  parent.postMessage({ type: 'waggle:ready' }, '*');
}

function follow(word: Word): void {
  switch (word.type) {
    case 'waggle:theme':
      followParentTheme(word.theme);
      return;
    case 'waggle:select':
      changeView({ select: word.select }, 'replace');
      return;
    case 'waggle:view': {
      const { embed, theme } = viewStore.get().view;
      // It stays the frame that it is.
      changeView({ ...parseView(word.view).view, embed, theme }, 'replace');
      return;
    }
  }
}

function wordOf(data: unknown): Word | null {
  if (typeof data !== 'object' || data === null) return null;
  const { type, theme, view, select } = data as Record<string, unknown>;
  if (type === 'waggle:theme' && typeof theme === 'string' && isThemeChoice(theme)) return { type, theme };
  if (type === 'waggle:view' && typeof view === 'string' && view.length <= MOST_TEXT) return { type, view };
  if (type !== 'waggle:select') return null;
  if (select === null) return { type, select };
  return typeof select === 'string' && select.length <= MOST_TEXT ? { type, select: select || null } : null;
}

/** Where the server cannot be asked, none. */
async function allowedOrigins(): Promise<readonly string[]> {
  try {
    const response = await fetch(new URL('embed.json', document.baseURI));
    const { origins } = (await response.json()) as { origins: readonly string[] };
    return response.ok ? origins : [];
  } catch {
    return [];
  }
}
