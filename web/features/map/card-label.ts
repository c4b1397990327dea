import { formatCount } from '../../format/quantity.ts';
import type { CardLive, EdgeLive } from '../../graph/live.ts';
import { VERDICT_WORDS } from '../../graph/model.ts';
import type { SceneCard, SceneEdge } from '../../graph/scene.ts';

/** A card in words: `maindb, default, port 3306 TCP, 12 flows/s`. */
export function cardLabel(card: SceneCard, live: CardLive | undefined): string {
  if (card.folded) return `${card.title}, ${card.sentence}, namespace folded up`;
  const ports = card.doors.map(({ port, protocol }) => `port ${port} ${protocol}`);
  const rate = live === undefined ? [] : [`${formatCount(live.rate)} flows/s`];
  return [card.title, card.namespace || card.sentence, ...ports, ...rate].filter((part) => part !== '').join(', ');
}

/** An arrow in words: `web to maindb port 3306 TCP, forwarded`. */
export function edgeLabel(edge: SceneEdge, live: EdgeLive | undefined): string {
  return `${edge.sourceTitle} to ${edge.destinationTitle} ${edge.words}, ${VERDICT_WORDS[live?.verdict ?? 'quiet']}`;
}
