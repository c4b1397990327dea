import { useSyncExternalStore } from 'react';
import { sceneStore } from '../../live/map-client.ts';
import { connectionStore, rowsStore } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import type { ConnectionState } from '../../worker/protocol.ts';

export type ObstacleState = Extract<ConnectionState, { phase: 'refused' | 'waiting' }>;

/** Why there is nothing at all to show; null while there is something, be it old. */
export function useObstacle(): ObstacleState | null {
  const connection = useStore(connectionStore);
  // Rows and scenes come all the time: who asks is told only when the answer changes.
  const anyRows = useSyncExternalStore(rowsStore.subscribe, () => (rowsStore.get()?.total ?? 0) > 0);
  const anyCards = useSyncExternalStore(sceneStore.subscribe, () => (sceneStore.get()?.scene.cards.length ?? 0) > 0);
  const known = anyRows || anyCards;
  if (connection.phase === 'refused') return connection;
  return connection.phase === 'waiting' && !known ? connection : null;
}
