import { sceneStore } from '../../live/map-client.ts';
import { connectionStore, rowsStore } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import type { ConnectionState } from '../../worker/protocol.ts';

export type ObstacleState = Extract<ConnectionState, { phase: 'refused' | 'waiting' }>;

/** Why there is nothing at all to show; null while there is something, be it old. */
export function useObstacle(): ObstacleState | null {
  const connection = useStore(connectionStore);
  const scene = useStore(sceneStore);
  const rows = useStore(rowsStore)?.total ?? 0;
  const known = rows > 0 || (scene?.scene.cards.length ?? 0) > 0;
  if (connection.phase === 'refused') return connection;
  return connection.phase === 'waiting' && !known ? connection : null;
}
