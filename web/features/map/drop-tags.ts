import { dropReasonText } from '#core/flow/drop-reason.ts';
import { formatCount } from '../../format/quantity.ts';
import type { Rect } from '../../graph/geometry.ts';
import type { EdgeLive } from '../../graph/live.ts';
import type { Scene } from '../../graph/scene.ts';
import { turnsOf } from './curve.ts';
import type { Palette } from './palette.ts';
import { meets } from './point.ts';
import type { Surface } from './surface.ts';

const SANS = '"Inter Variable", system-ui, sans-serif';
const WIDTH = 106;
const HEIGHT = 36;
const MOST_TAGS = 40;
/** Arrows above which there is room for few tags, and only beside the cards. */
const MANY_EDGES = 150;
const FEW_TAGS = 12;

/** On an arrow with drops: how many, and why. */
export interface DropTag extends Rect {
  readonly count: string;
  readonly reason: string;
  /** Keys of the cards at its ends. */
  readonly source: string;
  readonly destination: string;
}

/** Tags for the arrows that drop most, kept from covering one another. */
export function dropTags(scene: Scene, live: ReadonlyMap<string, EdgeLive>): DropTag[] {
  const dropping = scene.edges
    .map((edge) => ({ edge, live: live.get(edge.key) }))
    .filter((each): each is { edge: Scene['edges'][number]; live: EdgeLive } => (each.live?.dropsPerMinute ?? 0) > 0)
    .sort((a, b) => b.live.dropsPerMinute - a.live.dropsPerMinute || (a.edge.key < b.edge.key ? -1 : 1))
    .slice(0, MOST_TAGS);
  const crowded = scene.edges.length > MANY_EDGES;
  const tags: DropTag[] = [];
  for (const { edge, live: numbers } of dropping) {
    const place = freePlace(turnsOf(edge.route), scene, tags, crowded);
    if (place === undefined || (crowded && tags.length >= FEW_TAGS)) continue;
    tags.push({
      ...place,
      count: `dropped ${formatCount(numbers.dropsPerMinute)}/min`,
      reason: numbers.dropReason > 0 ? dropReasonText(numbers.dropReason).toLowerCase() : 'reason not known',
      source: edge.source,
      destination: edge.destination,
    });
  }
  return tags;
}

/**
 * The place nearest to the arrow's tip where a tag covers neither another tag nor, if possible, a card. On a crowded map there
 * may be none.
 */
function freePlace(
  turns: readonly (readonly [number, number])[],
  scene: Scene,
  tags: readonly Rect[],
  crowded: boolean,
): Rect | undefined {
  const places = turns
    .flatMap(([x, y]) => [0, -HEIGHT - 6, HEIGHT + 6].map((shift) => ({ x, y: y + shift })))
    .map(({ x, y }) => ({ x: x - WIDTH / 2, y: y - HEIGHT / 2, width: WIDTH, height: HEIGHT }));
  const covers = (place: Rect, others: readonly Rect[]) => others.some((other) => meets(place, other));
  const free = places.find((place) => !covers(place, tags) && !covers(place, scene.cards));
  if (free !== undefined || crowded) return free;
  return places.find((place) => !covers(place, tags)) ?? places[0];
}

export function paintDropTag(context: Surface, tag: DropTag, palette: Palette): void {
  context.beginPath();
  context.roundRect(tag.x, tag.y, tag.width, tag.height, 6);
  context.fillStyle = palette.card;
  context.fill();
  context.lineWidth = 1;
  context.strokeStyle = palette.dropped;
  context.stroke();
  context.textAlign = 'center';
  context.textBaseline = 'alphabetic';
  context.font = `600 10.5px ${SANS}`;
  context.fillStyle = palette['dropped-text'];
  context.fillText(tag.count, tag.x + tag.width / 2, tag.y + 15);
  context.font = `400 10px ${SANS}`;
  context.fillStyle = palette.dim;
  context.fillText(
    tag.reason.length > 22 ? `${tag.reason.slice(0, 21)}…` : tag.reason,
    tag.x + tag.width / 2,
    tag.y + 28,
  );
}
