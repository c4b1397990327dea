import { openView } from '../../live/session-client.ts';
import type { View } from '../../view/view.ts';
import { streamView } from '../../view/view.ts';

/**
 * Opens the view's stream. What a token may be is loaded with the filter's controls: only a view with filters has to wait for
 * it. Returns what lets go of a view that has not been opened yet.
 */
export function watch(view: View): () => void {
  let left = false;
  if (view.filter.length === 0) {
    openView(streamView(view, () => true));
  } else {
    void import('../filters/token-check.ts').then(({ isValidToken }) => {
      if (!left) openView(streamView(view, isValidToken));
    });
  }
  return () => {
    left = true;
  };
}
