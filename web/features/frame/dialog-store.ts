import { createStore } from '../../live/store.ts';

export type DialogName = 'palette' | 'keyboard' | 'settings' | 'events';

/** The dialog that is open; null = none. */
export const dialogStore = createStore<DialogName | null>(null);

export function openDialog(name: DialogName): void {
  dialogStore.set(name);
}

export function closeDialog(): void {
  dialogStore.set(null);
}
