import { formatMicros, formatRate, formatShare } from '../../format/quantity.ts';
import { CARD_HEAD } from '../../graph/geometry.ts';
import type { CardLive, DoorLive } from '../../graph/live.ts';
import { QUIET_ALPHA } from '../../graph/quiet.ts';
import type { SceneCard } from '../../graph/scene.ts';
import { cardIconOutline, cardIconPath } from './card-icons.ts';
import { fitText, inTwo, textWidth } from './fit-text.ts';
import { type Palette, verdictColor } from './palette.ts';
import type { Surface } from './surface.ts';

const SANS = '"Inter Variable", system-ui, sans-serif';
const MONO = '"JetBrains Mono Variable", ui-monospace, monospace';
const PAD = 12;
/** JetBrains Mono: every character is so wide, in parts of its size. */
const MONO_WIDTH = 0.6;
/** Sizes at zoom 1, in map units. */
const NAME = 13.5;
const SENTENCE = 11.5;
const FIGURE = 11;
/** Letters of most rates: `0.4/s`, `142/s`. */
const RATE_LETTERS = 5;

/** Names smaller than this, in pixels of the screen, cannot be read. */
const LEAST_NAME = 7.5;

/** How much of a card can be read at this zoom. */
export type Detail = 'full' | 'name' | 'shape';

export function detailAt(zoom: number): Detail {
  return zoom >= 0.45 ? 'full' : zoom >= 0.2 ? 'name' : 'shape';
}

/** How much larger text is written than at zoom 1, so that it can be read on a smaller map; cards keep their size. */
export function typeScale(zoom: number): number {
  return Math.min(1.75, Math.max(1, Math.round((0.88 / zoom) * 20) / 20));
}

export interface CardPaint {
  readonly palette: Palette;
  readonly detail: Detail;
  readonly zoom: number;
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
  const { palette, detail } = paint;
  context.save();
  context.translate(card.x, card.y);
  const quiet = state.selected || state.focused || state.hovered ? 1 : QUIET_ALPHA[state.live?.quiet ?? 0];
  context.globalAlpha = (state.aside ? Math.min(quiet, 0.4) : quiet) * state.shown;
  frame(context, card, state, paint);
  if (detail === 'full') full(context, card, state, palette, typeScale(paint.zoom));
  else if (detail === 'name') nameOnly(context, card, state, palette, paint.zoom);
  context.restore();
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
  return live?.doors.some(({ verdict }) => verdict === 'dropped' || verdict === 'mixed') ?? false;
}

function full(context: Surface, card: SceneCard, state: CardState, palette: Palette, scale: number): void {
  const { width } = card;
  context.textBaseline = 'middle';
  head(context, card, state, palette, scale);
  if (card.doors.length === 0) return;
  context.beginPath();
  context.moveTo(0, CARD_HEAD);
  context.lineTo(width, CARD_HEAD);
  context.lineWidth = 1;
  context.strokeStyle = palette.line;
  context.stroke();
  card.doors.forEach((door, index) => {
    const live = state.live?.doors[index];
    const size = FIGURE * scale;
    context.textAlign = 'left';
    context.font = `500 ${size}px ${MONO}`;
    context.fillStyle = palette.text;
    context.fillText(door.port, PAD, door.y);
    const after = PAD + (door.port.length * MONO_WIDTH + 0.55) * size;
    const left =
      live === undefined ? width - PAD : doorFigures(context, live, width - PAD, after, door.y, scale, palette);
    context.textAlign = 'left';
    context.font = `400 ${size * 0.9}px ${MONO}`;
    context.fillStyle = palette.faint;
    if (after + door.protocol.length * MONO_WIDTH * size * 0.9 < left) context.fillText(door.protocol, after, door.y);
    ring(context, door.y, live, palette);
  });
}

/** Icon, name and rate; below them one line of what it is. A name comes before the rate. */
function head(context: Surface, card: SceneCard, state: CardState, palette: Palette, scale: number): void {
  const gap = 6;
  const height = (NAME + SENTENCE) * scale + gap;
  const top = (CARD_HEAD - height) / 2;
  const nameY = top + (NAME * scale) / 2;
  const sentenceY = top + NAME * scale + gap + (SENTENCE * scale) / 2;
  const iconSize = 16 * Math.min(scale, 1.3);
  icon(context, card, nameY - iconSize / 2, iconSize, state.selected ? palette.accent : palette.dim);
  const left = PAD + iconSize + 8;
  const rate = formatRate(state.live?.rate ?? 0);
  const rateSize = FIGURE * scale;
  const rateWidth = rate.length * rateSize * MONO_WIDTH;
  const { size, withRate } = nameSize(context, card, card.width - PAD - left, rateWidth, scale);
  context.textAlign = 'left';
  context.font = `600 ${size}px ${SANS}`;
  context.fillStyle = palette.text;
  context.fillText(fitText(context, card.title, card.width - PAD - left), left, nameY);
  if (withRate) {
    context.textAlign = 'right';
    context.font = `400 ${rateSize}px ${MONO}`;
    context.fillStyle = palette.dim;
    context.fillText(rate, card.width - PAD, nameY);
  }
  const room = card.width - 2 * PAD - (card.pinned ? 14 : 0);
  context.textAlign = 'left';
  context.font = `400 ${SENTENCE}px ${SANS}`;
  const wanted = textWidth(context, card.sentence);
  context.font = `400 ${SENTENCE * Math.max(1, Math.min(scale, room / wanted))}px ${SANS}`;
  context.fillStyle = palette.dim;
  context.fillText(fitText(context, card.sentence, room), PAD, sentenceY);
  if (card.pinned) pin(context, card.width - PAD - 8, sentenceY - 6, palette);
}

/**
 * As large as it fits, and whole if that can be: beside the rate, smaller, or in the rate's place. Room is kept for a rate of
 * usual width, so that a name does not change its size with the traffic.
 */
function nameSize(context: Surface, card: SceneCard, room: number, rate: number, scale: number) {
  context.font = `600 ${NAME}px ${SANS}`;
  const width = textWidth(context, card.title) / NAME;
  const gap = 8;
  const usual = RATE_LETTERS * FIGURE * scale * MONO_WIDTH + gap;
  const beside = Math.min(NAME * scale, (room - usual) / width);
  if (beside >= NAME * Math.max(scale * 0.74, Math.min(scale, 0.9))) {
    return { size: beside, withRate: beside * width + rate + gap / 2 <= room };
  }
  return { size: Math.min(NAME * scale, Math.max(room / width, NAME * 0.85)), withRate: false };
}

/**
 * Success and p99, or round trip, at the right end of a door's line, as far as there is room right of `least`. Health appears only where
 * something was asked. Returns where they begin.
 */
function doorFigures(
  context: Surface,
  live: DoorLive,
  right: number,
  least: number,
  y: number,
  scale: number,
  palette: Palette,
): number {
  const size = FIGURE * scale;
  // Where requests are told, a failing server counts like a drop, and what its clients wait for is the answer.
  const passed = live.answeredShare < 0 ? live.forwardedShare : Math.min(live.answeredShare, live.forwardedShare);
  const share = live.verdict === 'quiet' ? '–' : formatShare(passed);
  const time =
    live.p99Micros > 0 ? `p99 ${formatMicros(live.p99Micros)}` : live.rttMicros > 0 ? formatMicros(live.rttMicros) : '';
  const widthOf = (text: string) => text.length * MONO_WIDTH * size;
  context.textAlign = 'right';
  context.font = `400 ${size}px ${MONO}`;
  let x = right;
  if (time !== '' && least + widthOf(share) + widthOf(time) + 6 <= right) {
    context.fillStyle = palette.faint;
    context.fillText(time, x, y);
    x -= widthOf(time) + 6;
  }
  const isHurt = live.verdict !== 'quiet' && passed < 1;
  context.fillStyle = isHurt ? palette['dropped-text'] : live.verdict === 'quiet' ? palette.faint : palette.dim;
  context.fillText(share, x, y);
  return x - widthOf(share) - 6;
}

/** A door: the ring on the card's left edge where arrows end. */
function ring(context: Surface, y: number, live: DoorLive | undefined, palette: Palette): void {
  context.beginPath();
  context.arc(0, y, 4, 0, 2 * Math.PI);
  context.fillStyle = palette.canvas;
  context.fill();
  context.lineWidth = 1.75;
  context.strokeStyle = verdictColor(palette, live?.verdict ?? 'quiet');
  context.stroke();
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

/** Far away only the name is drawn, as large as it can be read and fits; on two lines rather than cut. */
function nameOnly(context: Surface, card: SceneCard, state: CardState, palette: Palette, zoom: number): void {
  const room = card.width - 1.5 * PAD;
  const left = PAD * 0.75;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  context.fillStyle = palette.text;
  context.font = `600 ${NAME}px ${SANS}`;
  const one = Math.min(11.5 / zoom, CARD_HEAD * 0.75, (room * NAME) / textWidth(context, card.title));
  const parted = one < LEAST_NAME / zoom ? twoLines(context, card, room, zoom) : undefined;
  if (parted === undefined) {
    context.font = `600 ${Math.max(one, LEAST_NAME / zoom)}px ${SANS}`;
    context.fillText(fitText(context, card.title, room), left, Math.min(card.height / 2, CARD_HEAD));
  } else {
    context.font = `600 ${parted.size}px ${SANS}`;
    parted.lines.forEach((line, index) => {
      context.fillText(line, left, card.height / 2 + (index - 0.5) * 1.08 * parted.size);
    });
  }
  card.doors.forEach((door, index) => {
    ring(context, door.y, state.live?.doors[index], palette);
  });
}

/** A name on two lines that can be read; undefined where there is no room for them. Rather small than broken within a word. */
function twoLines(context: Surface, card: SceneCard, room: number, zoom: number) {
  for (const [anywhere, least] of TWO_LINES) {
    const lines = inTwo(card.title, anywhere);
    const widest = Math.max(...lines.map((line) => textWidth(context, line)));
    const size = Math.min(9.5 / zoom, card.height * 0.45, (room * NAME) / widest);
    if (lines[1] !== '' && size >= least * (LEAST_NAME / zoom)) return { lines, size };
  }
  return undefined;
}

/** Ways to part a name, and how small it may be for that, as a share of the least that can be read. */
const TWO_LINES: readonly (readonly [anywhere: boolean, least: number])[] = [
  [false, 0.78],
  [true, 0.9],
];
