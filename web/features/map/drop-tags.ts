import { dropReasonText } from '#core/flow/drop-reason.ts';
import { formatCount } from '../../format/quantity.ts';
import type { Rect } from '../../graph/geometry.ts';
import type { EdgeLive } from '../../graph/live.ts';
import type { Scene } from '../../graph/scene.ts';
import { middleOf } from './curve.ts';
import type { Palette } from './palette.ts';

const SANS = '"Inter Variable", system-ui, sans-serif';
const WIDTH = 118;
const HEIGHT = 38;
const MOST_TAGS = 40;

/** On an arrow with drops: how many, and why. */
export interface DropTag extends Rect {
  readonly count: string;
  readonly reason: string;
  readonly edge: string;
}

/** Tags for the arrows that drop most, kept from covering one another. */
export function dropTags(scene: Scene, live: ReadonlyMap<string, EdgeLive>): DropTag[] {
  const dropping = scene.edges
    .map((edge) => ({ edge, live: live.get(edge.key) }))
    .filter((each): each is { edge: Scene['edges'][number]; live: EdgeLive } => (each.live?.dropsPerMinute ?? 0) > 0)
    .sort((a, b) => b.live.dropsPerMinute - a.live.dropsPerMinute || (a.edge.key < b.edge.key ? -1 : 1))
    .slice(0, MOST_TAGS);
  const tags: DropTag[] = [];
  for (const { edge, live: numbers } of dropping) {
    const [x, y] = middleOf(edge.route);
    let tag: DropTag = {
      x: x - WIDTH / 2,
      y: y - HEIGHT / 2,
      width: WIDTH,
      height: HEIGHT,
      count: `dropped ${formatCount(numbers.dropsPerMinute)}/min`,
      reason: numbers.dropReason > 0 ? dropReasonText(numbers.dropReason).toLowerCase() : 'reason not known',
      edge: edge.key,
    };
    for (let tries = 0; tries < tags.length && tags.some((other) => overlap(other, tag)); tries++) {
      tag = { ...tag, y: tag.y + HEIGHT + 4 };
    }
    tags.push(tag);
  }
  return tags;
}

export function paintDropTag(context: CanvasRenderingContext2D, tag: DropTag, palette: Palette): void {
  context.beginPath();
  context.roundRect(tag.x, tag.y, tag.width, tag.height, 6);
  context.fillStyle = palette.card;
  context.fill();
  context.lineWidth = 1;
  context.strokeStyle = palette.dropped;
  context.stroke();
  context.textAlign = 'center';
  context.textBaseline = 'alphabetic';
  context.font = `600 11px ${SANS}`;
  context.fillStyle = palette['dropped-text'];
  context.fillText(tag.count, tag.x + tag.width / 2, tag.y + 16);
  context.font = `400 10.5px ${SANS}`;
  context.fillStyle = palette.dim;
  context.fillText(
    tag.reason.length > 22 ? `${tag.reason.slice(0, 21)}…` : tag.reason,
    tag.x + tag.width / 2,
    tag.y + 30,
  );
}

function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
