import { followParentTheme, isThemeChoice } from '../theme/theme.ts';
import { isAllowedOrigin } from './frame-origins.ts';

/**
 * In a frame, the page around this one may say its theme: `frame.contentWindow.postMessage({ type: 'waggle:theme', theme:
 * 'light' }, origin)`. It is heard when its origin is this page's own, or one that the server lets frame it. `waggle:ready` tells it
 * when to begin.
 */
export function followParentPage(): void {
  const { parent } = window;
  if (parent === window) return;
  const origins = allowedOrigins();
  addEventListener('message', async (event: MessageEvent) => {
    if (event.source !== parent) return;
    const theme = themeOf(event.data);
    if (theme !== null && isAllowedOrigin(event.origin, await origins, location.origin)) followParentTheme(theme);
  });
  // Says nothing but that it is there, so anyone may hear it.
  parent.postMessage({ type: 'waggle:ready' }, '*');
}

function themeOf(data: unknown): 'dark' | 'light' | 'system' | null {
  if (typeof data !== 'object' || data === null) return null;
  const { type, theme } = data as { type?: unknown; theme?: unknown };
  return type === 'waggle:theme' && typeof theme === 'string' && isThemeChoice(theme) ? theme : null;
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
