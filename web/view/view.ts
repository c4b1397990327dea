import type { StreamView } from '../worker/protocol.ts';
import { DEFAULT_MAP_OPTIONS, type MapOptions } from './map-options.ts';
import { DEFAULT_POLICY_OPTIONS, type PolicyOptions } from './policy-options.ts';
import { DEFAULT_SERVICE_OPTIONS, type ServiceOptions } from './service-options.ts';
import { DEFAULT_TABLE_OPTIONS, type TableOptions } from './table-options.ts';

export type ViewMode = 'map' | 'table' | 'list' | 'policies' | 'services';
export type VerdictFilter = 'all' | 'forwarded' | 'dropped' | 'audit';

export const VIEW_MODES: readonly ViewMode[] = ['map', 'table', 'list', 'policies', 'services'];
export const VERDICT_FILTERS: readonly VerdictFilter[] = ['all', 'forwarded', 'dropped', 'audit'];

/** What a person is looking at. It is the URL: whoever opens the same URL sees the same. */
export interface View {
  /** Empty = all. */
  readonly namespaces: readonly string[];
  /** Filter tokens, ANDed, as written. */
  readonly filter: readonly string[];
  readonly verdict: VerdictFilter;
  readonly mode: ViewMode;
  /** Key of the selected card, or of an arrow (`pair.ts`); null = none. */
  readonly select: string | null;
  /** What an iframe shows of the page; null = the whole page. */
  readonly embed: 'map' | 'table' | null;
  /** A theme that belongs to the link; undefined = as remembered. */
  readonly theme: 'dark' | 'light' | 'system' | undefined;
  readonly map: MapOptions;
  readonly table: TableOptions;
  readonly policies: PolicyOptions;
  readonly services: ServiceOptions;
}

export const DEFAULT_VIEW: View = {
  namespaces: [],
  filter: [],
  verdict: 'all',
  mode: 'map',
  select: null,
  embed: null,
  theme: undefined,
  map: DEFAULT_MAP_OPTIONS,
  table: DEFAULT_TABLE_OPTIONS,
  policies: DEFAULT_POLICY_OPTIONS,
  services: DEFAULT_SERVICE_OPTIONS,
};

/** What the server is asked for: tokens it could not read are left out, so that the rest of the view works. */
export function streamView(view: View, isValid: (token: string) => boolean): StreamView {
  const filter = view.filter.filter(isValid);
  if (view.verdict !== 'all') filter.push(`verdict=${view.verdict}`);
  return { namespaces: view.namespaces, filter, perNode: view.map.group === 'node' };
}
