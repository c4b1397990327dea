import { PLATE_TITLE } from '../../graph/geometry.ts';
import type { MapState } from '../../live/map-client.ts';
import type { Arrows } from './arrows.ts';
import { type Camera, seenRect } from './camera.ts';
import type { CardDrag } from './card-drag.ts';
import { cardType, detailAt } from './card-type.ts';
import { type DropTag, paintDropTag } from './drop-tags.ts';
import type { Attention, Standing } from './emphasis.ts';
import { type CardPaint, type CardState, paintCard } from './paint-cards.ts';
import { paintGround, paintPlate, paintPlateName } from './paint-plates.ts';
import type { Palette } from './palette.ts';
import { plateFigures } from './plate-figures.ts';
import { meets, type Point } from './point.ts';

/** Cards painted at once, at least. */
const PIECE = 24;

/** Everything a painting depends on, but for where it is looked at from. */
export interface Picture {
  readonly state: MapState;
  readonly attention: Attention;
  readonly standing: Standing;
  readonly hoveredPlate: string | null;
  readonly drag: CardDrag | undefined;
  readonly tags: readonly DropTag[];
  readonly arrows: Arrows;
  readonly palette: Palette;
  /** 0 to 1 while a card comes up. */
  shown(key: string): number;
}

/** Paints what is seen of the map from there, and `margin` pixels around it, piece by piece: ground, plates, arrows, cards. */
export function* paintPicture(
  context: CanvasRenderingContext2D,
  picture: Picture,
  camera: Camera,
  margin: number,
): Generator<undefined, void> {
  const { zoom, pan } = camera;
  const { state, attention, palette, drag, tags } = picture;
  const seen = seenRect(camera, margin);
  const hairline = Math.max(1, 1 / zoom);
  paintGround(context, camera, margin, palette);
  context.translate(pan.x, pan.y);
  context.scale(zoom, zoom);

  const figures = plateFigures(state.scene.cards, state.cards);
  for (const plate of state.scene.plates) {
    const placed = drag?.plate === plate.id ? shifted(plate, drag.by) : plate;
    if (!meets(placed, seen)) continue;
    const look = {
      hovered: plate.id === picture.hoveredPlate,
      focused: plate.id === attention.focused,
      figures: figures.get(plate.id),
    };
    paintPlate(context, placed, look, palette, zoom, hairline);
  }
  yield;
  yield* picture.arrows.paint(context, seen, palette, drag, hairline);

  const paint = cardPaint(context, picture, camera);
  const { detail } = paint;
  let painted = 0;
  for (const card of state.scene.cards) {
    const placed = drag?.keys.has(card.key) ? shifted(card, drag.by) : card;
    if (!meets(placed, seen)) continue;
    if (++painted % PIECE === 0) yield;
    paintCard(context, placed, cardState(card.key, picture), paint);
  }
  if (detail === 'shape') {
    for (const plate of state.scene.plates) if (meets(plate, seen)) paintPlateName(context, plate, palette, zoom);
  }
  if (detail !== 'full') return;
  const { near } = picture.standing;
  context.globalAlpha = 1;
  for (const tag of tags) {
    // Of what is not in question the arrows tell enough.
    if (near.size > 0 && !near.has(tag.source) && !near.has(tag.destination)) continue;
    paintDropTag(context, tag, palette);
  }
}

/** Paints only what a person drags or points at, over a map that is painted without it. */
export function paintAbove(context: CanvasRenderingContext2D, picture: Picture, camera: Camera): void {
  if (picture.drag?.moved) paintDragged(context, picture, camera);
  else paintPointed(context, picture, camera);
}

function paintPointed(context: CanvasRenderingContext2D, picture: Picture, camera: Camera): void {
  const { palette, attention, hoveredPlate } = picture;
  const { scene } = picture.state;
  context.translate(camera.pan.x, camera.pan.y);
  context.scale(camera.zoom, camera.zoom);
  const paint = cardPaint(context, picture, camera);
  const plate = scene.plates.find(({ id }) => id === hoveredPlate);
  if (plate !== undefined) {
    context.save();
    context.beginPath();
    context.rect(plate.x, plate.y, plate.width, PLATE_TITLE);
    context.clip();
    const figures = plateFigures(scene.cards, picture.state.cards).get(plate.id);
    const look = { hovered: true, focused: plate.id === attention.focused, figures };
    paintPlate(context, plate, look, palette, camera.zoom, paint.hairline);
    context.restore();
  }
  const card = scene.cards.find(({ key }) => key === attention.hovered);
  if (card === undefined) return;
  picture.arrows.paintAt(context, palette, card.key, paint.hairline);
  paintCard(context, card, cardState(card.key, picture), paint);
}

/** What is dragged, where it is dragged to, with the arrows that hang on it. */
function paintDragged(context: CanvasRenderingContext2D, picture: Picture, camera: Camera): void {
  const { drag, palette, state } = picture;
  if (drag === undefined) return;
  context.translate(camera.pan.x, camera.pan.y);
  context.scale(camera.zoom, camera.zoom);
  const paint = cardPaint(context, picture, camera);
  for (const plate of state.scene.plates) {
    if (plate.id !== drag.plate) continue;
    const look = { hovered: true, focused: false };
    paintPlate(context, shifted(plate, drag.by), look, palette, camera.zoom, paint.hairline);
  }
  picture.arrows.paintMoved(context, palette, drag, paint.hairline);
  for (const card of state.scene.cards) {
    if (drag.keys.has(card.key)) paintCard(context, shifted(card, drag.by), cardState(card.key, picture), paint);
  }
}

function cardPaint(context: CanvasRenderingContext2D, { palette, state }: Picture, { zoom }: Camera): CardPaint {
  const type = cardType(context, state.scene.cards, state.cards, zoom);
  return { palette, detail: detailAt(zoom), type, hairline: Math.max(1, 1 / zoom) };
}

function cardState(key: string, { state, attention, standing, shown }: Picture): CardState {
  return {
    live: state.cards.get(key),
    selected: key === attention.selected,
    focused: key === attention.focused,
    hovered: key === attention.hovered,
    aside: standing.isAside(key),
    found: attention.found?.has(key) ?? false,
    shown: shown(key),
  };
}

function shifted<T extends { readonly x: number; readonly y: number }>(rect: T, by: Point): T {
  return { ...rect, x: rect.x + by.x, y: rect.y + by.y };
}
