import { useSyncExternalStore } from 'react';
import { sceneStore } from '../../live/map-client.ts';
import { connectionStore, rowsStore } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import type { ConnectionState, StreamFailure } from '../../worker/protocol.ts';

export type ObstacleState = Exclude<ConnectionState, { phase: 'live' }>;

/** Why there is no stream now; undefined where there is one, or none was tried before. */
export function failureOf(state: ConnectionState): StreamFailure | undefined {
  if (state.phase === 'waiting') return state;
  return state.phase === 'connecting' ? state.after : undefined;
}

/** Why there is nothing at all to show; null while there is something, be it old. */
export function useObstacle(): ObstacleState | null {
  const connection = useStore(connectionStore);
  // Rows and scenes come all the time: who asks is told only when the answer changes.
  const anyRows = useSyncExternalStore(rowsStore.subscribe, () => (rowsStore.get()?.total ?? 0) > 0);
  const anyCards = useSyncExternalStore(sceneStore.subscribe, () => (sceneStore.get()?.scene.cards.length ?? 0) > 0);
  const known = anyRows || anyCards;
  if (connection.phase === 'refused') return connection;
  return connection.phase !== 'live' && failureOf(connection) !== undefined && !known ? connection : null;
}
