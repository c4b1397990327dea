import { createStore } from '../live/store.ts';
import { recall, remember } from '../view/remembered.ts';

export type Theme = 'dark' | 'light';
/** What a person may choose; `system` follows the machine. */
export type ThemeChoice = Theme | 'system';

const NAME = 'theme';
const system = matchMedia('(prefers-color-scheme: light)');

export function isThemeChoice(value: string | null): value is ThemeChoice {
  return value === 'dark' || value === 'light' || value === 'system';
}

function remembered(): ThemeChoice {
  const stored = recall(NAME);
  return isThemeChoice(stored) ? stored : 'system';
}

/** The theme in force. */
export const themeStore = createStore<Theme>('dark');
let choice: ThemeChoice = 'system';

/** What was chosen, by the link or by the person; `themeStore` has what it comes to. */
export function chosenTheme(): ThemeChoice {
  return choice;
}

/** The theme of the page around this one, which goes before any choice here. */
let parent: ThemeChoice | undefined;
let fromLink: ThemeChoice | undefined;

export function followParentTheme(next: ThemeChoice): void {
  parent = next;
  applyTheme(fromLink);
}

/** Puts a choice into force. A choice from the URL is not remembered: it belongs to the link. */
export function applyTheme(next: ThemeChoice | undefined): void {
  fromLink = next;
  choice = parent ?? next ?? remembered();
  const theme = choice === 'system' ? (system.matches ? 'light' : 'dark') : choice;
  document.documentElement.dataset.theme = theme;
  themeStore.set(theme);
}

export function rememberTheme(next: ThemeChoice): void {
  remember(NAME, next);
  parent = undefined;
  applyTheme(undefined);
}

system.addEventListener('change', () => {
  if (choice === 'system') applyTheme(fromLink);
});

// Chosen in another tab.
addEventListener('storage', ({ key }: StorageEvent) => {
  if (key === null || key.endsWith(`.${NAME}`)) applyTheme(fromLink);
});
