import { useMemo, useSyncExternalStore } from 'react';
import { sceneStore } from '../../live/map-client.ts';
import type { Selection } from '../../worker/protocol.ts';
import { selectionOf } from './selection-of.ts';

/** What is selected, as the session needs it: the same object while scenes come that say nothing new of it. */
export function useSelection(key: string | null): Selection | null {
  const said = useSyncExternalStore(sceneStore.subscribe, () =>
    key === null ? 'null' : JSON.stringify(selectionOf(key, sceneStore.get()?.scene)),
  );
  return useMemo(() => JSON.parse(said), [said]);
}
