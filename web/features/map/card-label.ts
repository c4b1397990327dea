import { dropReasonText } from '#core/flow/drop-reason.ts';
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
    const failing = door !== undefined && door.answeredShare >= 0 && door.answeredShare < 1;
    return [
      `port ${port} ${protocol}`,
      ...(dropped ? [`${formatShare(1 - door.forwardedShare)} dropped`] : []),
      ...(failing ? [`${formatShare(1 - door.answeredShare)} failing`] : []),
    ].join(' ');
  });
  const rate = live === undefined ? [] : [`${formatCount(live.rate)} flows/s`];
  const quiet = live !== undefined && live.quiet > 0 ? ['quiet'] : [];
  const pinned = card.pinned ? ['pinned'] : [];
  const parts = [card.title, card.namespace, ...card.sentence.split(' · '), ...ports, ...rate, ...quiet, ...pinned];
  return [...new Set(parts)].filter((part) => part !== '').join(', ');
}

/** An arrow in words: `web to maindb port 3306 TCP, forwarded, 12 flows/s`; `…, dropped, 12 flows/s, policy denied`. */
export function edgeLabel(edge: SceneEdge, live: EdgeLive | undefined): string {
  const rate = live === undefined ? '' : `, ${formatCount(live.rate)} flows/s`;
  const reason = dropWords(live);
  return `${edge.sourceTitle} to ${edge.destinationTitle} ${edge.words}, ${VERDICT_WORDS[live?.verdict ?? 'quiet']}${rate}${reason === '' ? '' : `, ${reason}`}`;
}

/** Why most of what an arrow drops is dropped; empty where it drops nothing, or nobody tells. */
export function dropWords(live: EdgeLive | undefined): string {
  return live !== undefined && live.dropsPerMinute > 0 && live.dropReason > 0
    ? dropReasonText(live.dropReason).toLowerCase()
    : '';
}
