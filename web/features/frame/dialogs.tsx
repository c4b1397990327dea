import { Suspense } from 'react';
import { useStore } from '../../live/store.ts';
import { ErrorEdge } from '../../ui/error-edge.tsx';
import { latePart } from '../../ui/late-part.ts';
import { closeDialog, type DialogName, dialogStore } from './dialog-store.ts';

/** Loaded when first wanted: none of them is part of the first view. */
const DIALOGS = {
  palette: latePart(() => import('./palette.tsx').then(({ Palette }) => Palette)),
  keyboard: latePart(() => import('./keyboard-help.tsx').then(({ KeyboardHelp }) => KeyboardHelp)),
  settings: latePart(() => import('./settings-dialog.tsx').then(({ SettingsDialog }) => SettingsDialog)),
  events: latePart(() => import('./events-dialog.tsx').then(({ EventsDialog }) => EventsDialog)),
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
