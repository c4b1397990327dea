import { createStore, useStore } from '../live/store.ts';
import { applyTheme } from '../theme/theme.ts';
import type { MapOptions } from './map-options.ts';
import type { PolicyOptions } from './policy-options.ts';
import type { ServiceOptions } from './service-options.ts';
import type { TableOptions } from './table-options.ts';
import { MOST_TOKENS, parseView, printView } from './url.ts';
import type { UrlProblem } from './url-problem.ts';
import type { View } from './view.ts';

interface ViewState {
  readonly view: View;
  readonly problems: readonly UrlProblem[];
}

export const viewStore = createStore<ViewState>(parseView(location.search));

addEventListener('popstate', () => {
  viewStore.set(parseView(location.search));
  applyTheme(viewStore.get().view.theme);
});

/** Changes the view and the URL. `replace` keeps "back" from walking through every small step. */
export function changeView(change: Partial<View>, how: 'push' | 'replace' = 'push'): void {
  const view = { ...viewStore.get().view, ...change };
  const beyond = view.filter.slice(MOST_TOKENS);
  view.filter = view.filter.slice(0, MOST_TOKENS);
  const url = printView(view);
  const problems = beyond.map((value) => ({ parameter: 'filter', value, message: `more than ${MOST_TOKENS} filters` }));
  if (url === printView(viewStore.get().view) && problems.length === 0) return;
  history[how === 'push' ? 'pushState' : 'replaceState'](null, '', url === '' ? location.pathname : url);
  viewStore.set({ view, problems: problems.slice(0, 1) });
}

export function changeMapOptions(change: Partial<MapOptions>, how: 'push' | 'replace' = 'push'): void {
  changeView({ map: { ...viewStore.get().view.map, ...change } }, how);
}

export function changeTableOptions(change: Partial<TableOptions>, how: 'push' | 'replace' = 'push'): void {
  changeView({ table: { ...viewStore.get().view.table, ...change } }, how);
}

export function changePolicyOptions(change: Partial<PolicyOptions>, how: 'push' | 'replace' = 'push'): void {
  changeView({ policies: { ...viewStore.get().view.policies, ...change } }, how);
}

/** Leaves whatever is shown for the page of that policy (`kind/namespace/name`), with one of its rules marked. */
export function showPolicy(policy: string, rule: string | null = null): void {
  changeView({ mode: 'policies', policies: { tab: 'policies', policy, rule } });
}

export function changeServiceOptions(change: Partial<ServiceOptions>, how: 'push' | 'replace' = 'push'): void {
  changeView({ services: { ...viewStore.get().view.services, ...change } }, how);
}

export function useView(): View {
  return useStore(viewStore).view;
}
