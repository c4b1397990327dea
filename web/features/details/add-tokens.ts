import { changeView, viewStore } from '../../view/view-store.ts';

/** Narrows the view to what these tokens ask for, too. */
export function addTokens(...tokens: readonly (string | undefined)[]): void {
  const wanted = tokens.filter((token) => token !== undefined);
  changeView({ filter: [...new Set([...viewStore.get().view.filter, ...wanted])] });
}
