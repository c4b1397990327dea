import { createStore } from '../live/store.ts';
import { settingsStore } from '../view/settings.ts';
import { isApple, isPressed, isTyped, type Keys } from './keys.ts';

export type ActionGroup = 'View' | 'Map' | 'Flow table' | 'Filter' | 'Page';

/** Something a person can do. Buttons, command palette, shortcuts and the keyboard help all take it from here. */
export interface Action {
  readonly id: string;
  /** As a command: "Show the flow table". */
  readonly name: string;
  readonly group: ActionGroup;
  readonly keys?: Keys;
  /** Further words by which the palette finds it. */
  readonly words?: string;
  /** Whether it can be done now; default: always. */
  readonly available?: () => boolean;
  run(): void;
}

export const actionsStore = createStore<readonly Action[]>([]);

/** Adds actions. Returns what takes them away again. */
export function registerActions(actions: readonly Action[]): () => void {
  actionsStore.set([...actionsStore.get(), ...actions]);
  return () => actionsStore.set(actionsStore.get().filter((action) => !actions.includes(action)));
}

export function isAvailable(action: Action): boolean {
  return action.available === undefined || action.available();
}

export const onApple = isApple(navigator.platform);

/** Hears the keys of all actions. */
export function startShortcuts(): void {
  addEventListener('keydown', (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.repeat || event.isComposing) return;
    const inField =
      event.target instanceof HTMLElement && event.target.closest('input, textarea, select, [contenteditable]');
    const inDialog = document.querySelector('dialog:modal') !== null;
    const action = actionsStore.get().find(({ keys }) => {
      if (keys === undefined || !isPressed(event, keys, onApple)) return false;
      return !isTyped(keys) || (!inField && !inDialog && settingsStore.get().singleKeys);
    });
    if (action === undefined || !isAvailable(action)) return;
    event.preventDefault();
    action.run();
  });
}
