import { setTimeZone } from '../format/time.ts';
import { createStore } from '../live/store.ts';
import { recall, remember } from './remembered.ts';

/** What a person has chosen for this browser, whatever the view. The theme stands beside (`theme/theme.ts`). */
export interface Settings {
  /** `absolute`: the time of day; `relative`: how long ago. */
  readonly time: 'absolute' | 'relative';
  /** IANA name; empty = the browser's own. */
  readonly timeZone: string;
  /** `system` moves unless the machine asks for less motion; `reduced` never does. */
  readonly motion: 'system' | 'reduced';
  /** Whether keys without Ctrl or Cmd are shortcuts. */
  readonly singleKeys: boolean;
  /** Whether events show for a moment as they happen; the history has them in any case. */
  readonly toasts: boolean;
}

export const DEFAULT_SETTINGS: Settings = {
  time: 'absolute',
  timeZone: '',
  motion: 'system',
  singleKeys: true,
  toasts: true,
};

const NAME = 'settings';

/** What was remembered, by whatever version of the page; what cannot be used counts as not chosen. */
export function readSettings(text: string | null): Settings {
  let stored: Partial<Record<keyof Settings, unknown>> = {};
  try {
    const parsed: unknown = JSON.parse(text ?? '{}');
    if (typeof parsed === 'object' && parsed !== null) stored = parsed;
  } catch {
    // As if nothing had been chosen.
  }
  const { time, timeZone, motion, singleKeys, toasts } = stored;
  return {
    time: time === 'relative' ? 'relative' : 'absolute',
    timeZone: typeof timeZone === 'string' && isTimeZone(timeZone) ? timeZone : '',
    motion: motion === 'reduced' ? 'reduced' : 'system',
    singleKeys: singleKeys !== false,
    toasts: toasts !== false,
  };
}

/** Whether this browser can tell times there. */
export function isTimeZone(name: string): boolean {
  try {
    return name !== '' && Intl.DateTimeFormat('en-GB', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}

export const settingsStore = createStore(DEFAULT_SETTINGS);

function enter(settings: Settings): void {
  setTimeZone(settings.timeZone);
  document.documentElement.dataset.motion = settings.motion;
  settingsStore.set(settings);
}

export function startSettings(): void {
  enter(readSettings(recall(NAME)));
  // Chosen in another tab.
  addEventListener('storage', (event: StorageEvent) => {
    if (event.key === null || event.key.endsWith(`.${NAME}`)) enter(readSettings(recall(NAME)));
  });
}

export function changeSettings(change: Partial<Settings>): void {
  const settings = { ...settingsStore.get(), ...change };
  remember(NAME, JSON.stringify(settings));
  enter(settings);
}
