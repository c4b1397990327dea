import { formatRate } from '../../format/quantity.ts';
import { CARD_HEAD } from '../../graph/geometry.ts';
import type { CardLive, DoorLive } from '../../graph/live.ts';
import { QUIET_ALPHA } from '../../graph/quiet.ts';
import type { SceneCard } from '../../graph/scene.ts';
import { cardIconOutline, cardIconPath } from './card-icons.ts';
import { LINE_PITCH, writtenName } from './card-name.ts';
import {
  type CardType,
  type Detail,
  LEAST_NAME,
  MONO,
  MONO_WIDTH,
  nameHeight,
  nameRoom,
  ownNameSize,
  PAD,
  SANS,
} from './card-type.ts';
import { passedShare } from './door-figures.ts';
import { fitMiddle, fitText, textWidth } from './fit-text.ts';
import { doorsLine, paintFigures, paintPort, paintRing } from './paint-doors.ts';
import type { Palette } from './palette.ts';
import type { Surface } from './surface.ts';

/** Whatever steps back, its name and its ports can be read: contrast >= 4.5 in both themes. */
export const LEAST_WORDS_ALPHA = 0.65;

export interface CardPaint {
  readonly palette: Palette;
  readonly detail: Detail;
  readonly type: CardType;
  /** Map units per screen pixel, at most 1: lines stay visible when the map is small. */
  readonly hairline: number;
}

export interface CardState {
  readonly live: CardLive | undefined;
  readonly selected: boolean;
  readonly focused: boolean;
  readonly hovered: boolean;
  /** Neither selected nor its neighbour, or not what is looked for. */
  readonly aside: boolean;
  /** What is looked for. */
  readonly found: boolean;
  /** 0 to 1 while it comes up. */
  readonly shown: number;
}

/** Draws one card; the context's origin is the map's. */
export function paintCard(context: Surface, card: SceneCard, state: CardState, paint: CardPaint): void {
  const { detail } = paint;
  context.save();
  context.translate(card.x, card.y);
  const quiet = state.selected || state.focused || state.hovered ? 1 : QUIET_ALPHA[state.live?.quiet ?? 0];
  context.globalAlpha = (state.aside ? Math.min(quiet, 0.4) : quiet) * state.shown;
  frame(context, card, state, paint);
  if (detail === 'full') full(context, card, state, paint);
  else if (detail === 'name') nameOnly(context, card, state, paint);
  context.restore();
}

/** Paints words that are read also where the card itself has faded; while a card comes up, they come with it. */
function readable(context: Surface, { shown }: CardState, paint: () => void): void {
  const { globalAlpha } = context;
  context.globalAlpha = Math.max(globalAlpha, LEAST_WORDS_ALPHA * shown);
  paint();
  context.globalAlpha = globalAlpha;
}

function frame(context: Surface, card: SceneCard, state: CardState, paint: CardPaint): void {
  const { palette, hairline, detail } = paint;
  if (card.folded) {
    // The edges of what is folded up behind it.
    for (const shift of [8, 4]) {
      context.beginPath();
      context.roundRect(shift, shift, card.width, card.height, 8);
      context.fillStyle = palette.plate;
      context.fill();
      context.lineWidth = hairline;
      context.strokeStyle = palette.line;
      context.stroke();
    }
  }
  context.beginPath();
  context.roundRect(0, 0, card.width, card.height, 8);
  context.fillStyle = palette.card;
  context.fill();
  const outside = card.kind !== 'workload';
  context.setLineDash(outside && !state.selected ? [4, 4] : []);
  context.lineWidth = (state.selected ? 2 : 1) * hairline;
  context.strokeStyle =
    state.selected || state.found
      ? palette.accent
      : state.hovered
        ? palette.faint
        : detail === 'shape' && isDropping(state.live)
          ? palette.dropped
          : palette.line;
  context.stroke();
  context.setLineDash([]);
  if (state.focused) {
    context.beginPath();
    context.roundRect(-4, -4, card.width + 8, card.height + 8, 11);
    context.lineWidth = 2 * hairline;
    context.strokeStyle = palette.accent;
    context.stroke();
  }
}

function isDropping(live: CardLive | undefined): boolean {
  const isHurt = ({ verdict }: DoorLive) => verdict === 'dropped' || verdict === 'mixed';
  return live !== undefined && (live.doors.some(isHurt) || (live.rest !== undefined && isHurt(live.rest)));
}

function full(context: Surface, card: SceneCard, state: CardState, { palette, type }: CardPaint): void {
  const { width } = card;
  context.textBaseline = 'middle';
  head(context, card, state, palette, type);
  if (card.doors.length === 0) return;
  doorsLine(context, width, 1, palette);
  card.doors.forEach((door, index) => {
    const live = state.live?.doors[index];
    let after = 0;
    readable(context, state, () => {
      after = paintPort(context, door, PAD, type.figure, palette);
    });
    if (live !== undefined) paintFigures(context, live, width - PAD, after, door.y, type, palette);
    paintRing(context, door.y, live, palette);
  });
}

/** Icon and name; below them one line of what it is, and the rate at its end. */
function head(context: Surface, card: SceneCard, state: CardState, palette: Palette, type: CardType): void {
  const { name, sentence, icon: iconSize, nameLeft, figure } = type;
  const gap = 6;
  const top = (CARD_HEAD - name - sentence - gap) / 2;
  const nameY = top + name / 2;
  const sentenceY = top + name + gap + sentence / 2;
  icon(context, card, nameY - iconSize / 2, iconSize, state.selected ? palette.accent : palette.dim);
  const room = card.width - PAD - nameLeft;
  context.textAlign = 'left';
  context.font = `600 ${ownNameSize(context, card.title, name, room)}px ${SANS}`;
  // Who points at a card reads all of its name.
  if (state.hovered) context.font = `600 ${Math.min(name, (name * room) / textWidth(context, card.title))}px ${SANS}`;
  context.fillStyle = palette.text;
  readable(context, state, () => context.fillText(fitMiddle(context, card.title, room), nameLeft, nameY));

  const rate = formatRate(state.live?.rate ?? 0);
  const rateSize = Math.min(sentence * 0.95, figure);
  const pinned = card.pinned ? 14 : 0;
  const rateLeft = card.width - PAD - pinned - rate.length * rateSize * MONO_WIDTH;
  context.font = `400 ${sentence}px ${SANS}`;
  context.fillStyle = palette.dim;
  context.fillText(wholeParts(context, card.sentence, rateLeft - 6 - PAD), PAD, sentenceY);
  context.font = `400 ${rateSize}px ${MONO}`;
  context.fillText(rate, rateLeft, sentenceY);
  if (card.pinned) pin(context, card.width - PAD - 8, sentenceY - 6, palette);
}

/** As many parts of a sentence as there is room for; the first is cut rather than left out. */
function wholeParts(context: Surface, sentence: string, room: number): string {
  const parts = sentence.split(' · ');
  while (parts.length > 1 && textWidth(context, parts.join(' · ')) > room) parts.pop();
  return fitText(context, parts.join(' · '), room);
}

function outline(context: Surface, icon: SceneCard['icon']): void {
  if (context.strokeOutline !== undefined) context.strokeOutline(cardIconOutline(icon));
  else (context as unknown as CanvasRenderingContext2D).stroke(cardIconPath(icon));
}

function icon(context: Surface, card: SceneCard, y: number, size: number, color: string): void {
  context.save();
  context.translate(PAD, y);
  context.scale(size / 24, size / 24);
  context.lineWidth = 2;
  context.lineCap = 'round';
  context.lineJoin = 'round';
  context.strokeStyle = color;
  outline(context, card.icon);
  context.restore();
}

/** The mark of a card that stands where a person put it. */
function pin(context: Surface, x: number, y: number, palette: Palette): void {
  context.beginPath();
  context.arc(x + 4, y + 3, 2.5, 0, 2 * Math.PI);
  context.fillStyle = palette.accent;
  context.fill();
  context.beginPath();
  context.moveTo(x + 4, y + 5);
  context.lineTo(x + 4, y + 10);
  context.lineWidth = 1.25;
  context.strokeStyle = palette.accent;
  context.stroke();
}

/**
 * From far away a card is its name: on one line, else on two, else smaller, else cut between them. Below it ports, as long as they can be read, with
 * how many connections pass only where not all do.
 */
function nameOnly(context: Surface, card: SceneCard, state: CardState, { palette, type, hairline }: CardPaint): void {
  const { name, nameLeft, figure } = type;
  const height = nameHeight(card, figure);
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  context.fillStyle = palette.text;
  const room = { width: nameRoom(card), height, most: name, least: LEAST_NAME * hairline };
  const { lines, size } = writtenName(context, card.title, room);
  context.font = `600 ${size}px ${SANS}`;
  readable(context, state, () => {
    lines.forEach((line, index) => {
      context.fillText(line, nameLeft, height / 2 + (index - (lines.length - 1) / 2) * LINE_PITCH * size);
    });
  });
  if (figure > 0 && card.doors.length > 0) doorsLine(context, card.width, hairline, palette);
  card.doors.forEach((door, index) => {
    const live = state.live?.doors[index];
    if (figure > 0) {
      let after = 0;
      readable(context, state, () => {
        after = paintPort(context, door, nameLeft, figure, palette);
      });
      const isHurt = live !== undefined && live.verdict !== 'quiet' && passedShare(live) < 1;
      if (isHurt) paintFigures(context, live, card.width - nameLeft, after, door.y, type, palette);
    }
    paintRing(context, door.y, live, palette);
  });
}
