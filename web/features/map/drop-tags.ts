import { dropReasonText } from '#core/flow/drop-reason.ts';
import { formatCount } from '../../format/quantity.ts';
import { CARD_WIDTH, PLATE_SIDE, PLATE_TITLE, type Rect } from '../../graph/geometry.ts';
import type { EdgeLive } from '../../graph/live.ts';
import type { Route } from '../../graph/route.ts';
import type { Scene } from '../../graph/scene.ts';
import { turnsOf } from './curve.ts';
import type { Palette } from './palette.ts';
import { meets } from './point.ts';
import type { Surface } from './surface.ts';

const SANS = '"Inter Variable", system-ui, sans-serif';
/** Sizes at zoom 1, in map units. */
const COUNT = 10.5;
const REASON = 10;
const PAD = 8;
const MOST_REASON = 26;
const MOST_TAGS = 40;
/** Arrows above which there is room for few tags, and only beside the cards. */
const MANY_EDGES = 150;
const FEW_TAGS = 12;

/** On an arrow with drops: how many, and why. */
export interface DropTag extends Rect {
  readonly count: string;
  /** Empty where there is room for the count alone. */
  readonly reason: string;
  /** How much larger than at zoom 1 it is written. */
  readonly scale: number;
  /** Keys of the cards at its ends. */
  readonly source: string;
  readonly destination: string;
}

/** Tags for the arrows that drop most, kept from covering one another and cards. */
export function dropTags(scene: Scene, live: ReadonlyMap<string, EdgeLive>, scale: number): DropTag[] {
  const dropping = scene.edges
    .map((edge) => ({ edge, live: live.get(edge.key) }))
    .filter((each): each is { edge: Scene['edges'][number]; live: EdgeLive } => (each.live?.dropsPerMinute ?? 0) > 0)
    .sort((a, b) => b.live.dropsPerMinute - a.live.dropsPerMinute || (a.edge.key < b.edge.key ? -1 : 1))
    .slice(0, MOST_TAGS);
  const crowded = scene.edges.length > MANY_EDGES;
  const taken: Rect[] = [...scene.cards, ...scene.plates.flatMap(titleOf)];
  const tags: DropTag[] = [];
  for (const { edge, live: numbers } of dropping) {
    if (crowded && tags.length >= FEW_TAGS) break;
    const count = formatCount(numbers.dropsPerMinute);
    const why = numbers.dropReason > 0 ? dropReasonText(numbers.dropReason).toLowerCase() : 'reason not known';
    const whole = { count: `dropped ${count}/min`, reason: shortened(why) };
    const words = [whole, { count: `dropped ${count}/min`, reason: '' }, { count: `${count}/min`, reason: '' }];
    // Beyond the map's bounds may lie its legend and tools: that only is where nothing else is free.
    const place = [scene.bounds, undefined]
      .flatMap((within) =>
        words.map((each) => ({ ...each, ...freePlace(pointsOn(edge.route), sizeOf(each, scale), taken, within) })),
      )
      .find((tag): tag is (typeof words)[number] & Rect => tag.x !== undefined);
    // Better none than one over a card's text: the arrow's colour and dash say it too.
    if (place === undefined) continue;
    tags.push({ ...place, scale, source: edge.source, destination: edge.destination });
    taken.push(place);
  }
  return tags;
}

function shortened(reason: string): string {
  return reason.length > MOST_REASON ? `${reason.slice(0, MOST_REASON - 1)}…` : reason;
}

/** Letters are a little narrower than these shares of their size, on the average. */
function sizeOf({ count, reason }: { count: string; reason: string }, scale: number) {
  const width = Math.max(count.length * COUNT * 0.6, reason.length * REASON * 0.54) + 2 * PAD;
  return { width: width * scale, height: (reason === '' ? 20 : 36) * scale };
}

/** Where an arrow could carry its tag, the nearest to its tip first: where it changes its height, then along its flat parts. */
function pointsOn(route: Route): [x: number, y: number][] {
  const flat: [number, number][] = [];
  const { controls } = route;
  for (let at = controls.length - 8; at >= 4; at -= 8) {
    const [x1, y, x2] = controls.slice(at, at + 3);
    for (const share of [0.5, 0.85, 0.15]) flat.push([x1 + (x2 - x1) * share, y]);
  }
  return [...turnsOf(route), ...flat];
}

/** The first place at these points that covers nothing, in bounds where they are given. */
function freePlace(
  points: readonly (readonly [number, number])[],
  { width, height }: { readonly width: number; readonly height: number },
  taken: readonly Rect[],
  within?: Rect,
): Rect | undefined {
  return points
    .flatMap(([x, y]) => [0, -height / 2 - 6, height / 2 + 6].map((shift) => ({ x, y: y + shift })))
    .map(({ x, y }) => ({ x: x - width / 2, y: y - height / 2, width, height }))
    .find((place) => (within === undefined || lies(place, within)) && !taken.some((other) => meets(place, other)));
}

function lies({ x, y, width, height }: Rect, within: Rect): boolean {
  return (
    x >= within.x && y >= within.y && x + width <= within.x + within.width && y + height <= within.y + within.height
  );
}

/** What a plate says at the beginning and at the end of its first line. */
function titleOf({ x, y, width }: Rect): Rect[] {
  const [facts, figures] = [Math.min(width, 300), Math.min(width, CARD_WIDTH + PLATE_SIDE)];
  return [
    { x, y, width: facts, height: PLATE_TITLE },
    { x: x + width - figures, y, width: figures, height: PLATE_TITLE },
  ];
}

export function paintDropTag(context: Surface, tag: DropTag, palette: Palette): void {
  const { x, y, width, height, scale } = tag;
  // Arrows painted before leave theirs.
  context.setLineDash([]);
  context.beginPath();
  context.roundRect(x, y, width, height, 6);
  context.fillStyle = palette.card;
  context.fill();
  context.lineWidth = 1;
  context.strokeStyle = palette.dropped;
  context.stroke();
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = `600 ${COUNT * scale}px ${SANS}`;
  context.fillStyle = palette['dropped-text'];
  context.fillText(tag.count, x + width / 2, y + (tag.reason === '' ? height / 2 : height * 0.31));
  if (tag.reason === '') return;
  context.font = `400 ${REASON * scale}px ${SANS}`;
  context.fillStyle = palette.dim;
  context.fillText(tag.reason, x + width / 2, y + height * 0.68);
}
