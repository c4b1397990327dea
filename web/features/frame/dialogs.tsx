import { lazy, Suspense } from 'react';
import { useStore } from '../../live/store.ts';
import { ErrorEdge } from '../../ui/error-edge.tsx';
import { closeDialog, type DialogName, dialogStore } from './dialog-store.ts';

/** Loaded when first wanted: none of them is part of the first view. */
const DIALOGS = {
  palette: lazy(() => import('./palette.tsx').then(({ Palette }) => ({ default: Palette }))),
  keyboard: lazy(() => import('./keyboard-help.tsx').then(({ KeyboardHelp }) => ({ default: KeyboardHelp }))),
  settings: lazy(() => import('./settings-dialog.tsx').then(({ SettingsDialog }) => ({ default: SettingsDialog }))),
  events: lazy(() => import('./events-dialog.tsx').then(({ EventsDialog }) => ({ default: EventsDialog }))),
} satisfies Record<DialogName, unknown>;

export function Dialogs() {
  const name = useStore(dialogStore);
  if (name === null) return null;
  const Open = DIALOGS[name];
  return (
    <ErrorEdge key={name} part="The dialog" instead={null}>
      <Suspense fallback={null}>
        <Open onClose={closeDialog} />
      </Suspense>
    </ErrorEdge>
  );
}
