import { formatCount, formatShare } from '../../format/quantity.ts';
import type { CardLive, EdgeLive } from '../../graph/live.ts';
import { VERDICT_WORDS } from '../../graph/model.ts';
import type { SceneCard, SceneEdge } from '../../graph/scene.ts';

/** A card in words: `maindb, default, StatefulSet, 1 pod, port 3306 TCP, 12 flows/s`. */
export function cardLabel(card: SceneCard, live: CardLive | undefined): string {
  if (card.folded) return `${card.title}, ${card.sentence}, folded up`;
  const ports = card.doors.map(({ port, protocol }, index) => {
    const door = live?.doors[index];
    const dropped = door !== undefined && door.verdict !== 'quiet' && door.forwardedShare < 1;
    return `port ${port} ${protocol}${dropped ? ` ${formatShare(1 - door.forwardedShare)} dropped` : ''}`;
  });
  const rate = live === undefined ? [] : [`${formatCount(live.rate)} flows/s`];
  const quiet = live !== undefined && live.quiet > 0 ? ['quiet'] : [];
  const pinned = card.pinned ? ['pinned'] : [];
  const parts = [card.title, card.namespace, ...card.sentence.split(' · '), ...ports, ...rate, ...quiet, ...pinned];
  return [...new Set(parts)].filter((part) => part !== '').join(', ');
}

/** An arrow in words: `web to maindb port 3306 TCP, forwarded, 12 flows/s`. */
export function edgeLabel(edge: SceneEdge, live: EdgeLive | undefined): string {
  const rate = live === undefined ? '' : `, ${formatCount(live.rate)} flows/s`;
  return `${edge.sourceTitle} to ${edge.destinationTitle} ${edge.words}, ${VERDICT_WORDS[live?.verdict ?? 'quiet']}${rate}`;
}
