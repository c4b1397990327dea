import { type Action, registerActions } from '../../actions/registry.ts';
import { connectionStore, retryNow } from '../../live/session-client.ts';
import { rememberTheme, themeStore } from '../../theme/theme.ts';
import { changeSettings, settingsStore } from '../../view/settings.ts';
import { DEFAULT_VIEW, type VerdictFilter, type ViewMode } from '../../view/view.ts';
import { changeView, viewStore } from '../../view/view-store.ts';
import { openDialog } from './dialog-store.ts';

const view = () => viewStore.get().view;

function showMode(mode: ViewMode, name: string, keys: string, words: string): Action {
  return { id: `view.${mode}`, name, group: 'View', keys, words, run: () => changeView({ mode }) };
}

function showVerdict(verdict: VerdictFilter, name: string): Action {
  return {
    id: `verdict.${verdict}`,
    name,
    group: 'Filter',
    words: 'verdict',
    available: () => view().verdict !== verdict,
    run: () => changeView({ verdict }),
  };
}

/** What the frame itself can do. */
const FRAME_ACTIONS: readonly Action[] = [
  { id: 'palette', name: 'Find and do anything', group: 'Page', keys: 'mod+k', run: () => openDialog('palette') },
  {
    id: 'keyboard',
    name: 'Show all keys',
    group: 'Page',
    keys: '?',
    words: 'help shortcuts',
    run: () => openDialog('keyboard'),
  },
  {
    id: 'settings',
    name: 'Open settings',
    group: 'Page',
    keys: ',',
    words: 'preferences theme time zone',
    run: () => openDialog('settings'),
  },
  {
    id: 'events',
    name: 'Show what happened',
    group: 'Page',
    keys: 'e',
    words: 'history notifications toasts',
    run: () => openDialog('events'),
  },
  {
    id: 'theme',
    name: 'Change between light and dark',
    group: 'Page',
    keys: 't',
    words: 'theme colours',
    run() {
      changeView({ theme: undefined }, 'replace');
      rememberTheme(themeStore.get() === 'dark' ? 'light' : 'dark');
    },
  },
  {
    id: 'time',
    name: 'Change between time of day and how long ago',
    group: 'Page',
    keys: 'r',
    words: 'relative absolute time',
    run: () => changeSettings({ time: settingsStore.get().time === 'absolute' ? 'relative' : 'absolute' }),
  },
  {
    id: 'link',
    name: 'Copy a link to this view',
    group: 'View',
    words: 'share url address',
    // Over plain HTTP a page has no clipboard of its own.
    run: () => void import('../../ui/copy.ts').then(({ copyText }) => copyText(location.href)),
  },
  {
    id: 'retry',
    name: 'Connect again now',
    group: 'Page',
    words: 'retry reconnect',
    available: () => connectionStore.get().phase === 'waiting',
    run: retryNow,
  },
  showMode('map', 'Show the map', '1', 'service graph'),
  showMode('table', 'Show the flow table', '2', 'flows only'),
  showMode('list', 'Show the list of workloads', '3', 'text'),
  showMode('policies', 'Show policies', '4', 'network policy rules coverage findings'),
  showMode('services', 'Show Services', '5', 'load balancing backends trace'),
  {
    id: 'select.none',
    name: 'Close details',
    group: 'View',
    words: 'deselect panel',
    available: () => view().select !== null,
    run: () => changeView({ select: null }),
  },
  {
    id: 'filter.focus',
    name: 'Write a filter',
    group: 'Filter',
    keys: '/',
    words: 'search',
    run: () => document.querySelector<HTMLElement>('input[role=combobox][aria-label=Filter]')?.focus(),
  },
  {
    id: 'filter.clear',
    name: 'Remove all filters',
    group: 'Filter',
    words: 'reset clear',
    available: () => isNarrowed(),
    run: showEverything,
  },
  showVerdict('all', 'Show all verdicts'),
  showVerdict('forwarded', 'Show only what was forwarded'),
  showVerdict('dropped', 'Show only what was dropped'),
  showVerdict('audit', 'Show only what policy would drop'),
];

/** Whether the view leaves anything out. */
export function isNarrowed(): boolean {
  const { namespaces, filter, verdict } = view();
  return namespaces.length > 0 || filter.length > 0 || verdict !== 'all';
}

/** All namespaces, no filter. */
export function showEverything(): void {
  const { namespaces, filter, verdict } = DEFAULT_VIEW;
  changeView({ namespaces, filter, verdict });
}

export function startFrameActions(): () => void {
  return registerActions(FRAME_ACTIONS);
}

/** For a button's tooltip: what it does, and its key. */
export function frameAction(id: string): Action {
  const action = FRAME_ACTIONS.find((each) => each.id === id);
  if (action === undefined) throw new TypeError(`no action is called "${id}"`);
  return action;
}
