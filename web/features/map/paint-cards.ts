import { formatMicros, formatRate, formatShare } from '../../format/quantity.ts';
import { CARD_HEAD, DOOR_HEIGHT } from '../../graph/geometry.ts';
import type { CardLive, DoorLive } from '../../graph/live.ts';
import { QUIET_ALPHA } from '../../graph/quiet.ts';
import type { SceneCard } from '../../graph/scene.ts';
import { cardIconOutline, cardIconPath } from './card-icons.ts';
import { fitText } from './fit-text.ts';
import { type Palette, verdictColor } from './palette.ts';
import type { Surface } from './surface.ts';

const SANS = '"Inter Variable", system-ui, sans-serif';
const MONO = '"JetBrains Mono Variable", ui-monospace, monospace';
const PAD = 12;

/** How much of a card can be read at this zoom. */
export type Detail = 'full' | 'name' | 'shape';

export function detailAt(zoom: number): Detail {
  return zoom >= 0.5 ? 'full' : zoom >= 0.2 ? 'name' : 'shape';
}

export interface CardPaint {
  readonly palette: Palette;
  readonly detail: Detail;
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
  if (detail === 'full') full(context, card, state, palette);
  else if (detail === 'name') nameOnly(context, card, state, palette);
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

function full(context: Surface, card: SceneCard, state: CardState, palette: Palette): void {
  const { width } = card;
  context.textBaseline = 'alphabetic';
  icon(context, card, state.selected ? palette.accent : palette.dim);
  const rate = formatRate(state.live?.rate ?? 0);
  context.font = `400 11px ${MONO}`;
  context.textAlign = 'right';
  context.fillStyle = palette.dim;
  context.fillText(rate, width - PAD, 25);
  const rateWidth = context.measureText(rate).width;
  context.textAlign = 'left';
  context.font = `600 13.5px ${SANS}`;
  context.fillStyle = palette.text;
  context.fillText(fitText(context, card.title, width - PAD - rateWidth - 8 - 36), 36, 25);
  context.font = `400 11.5px ${SANS}`;
  context.fillStyle = palette.dim;
  context.fillText(fitText(context, card.sentence, width - 2 * PAD - (card.pinned ? 14 : 0)), PAD, 45);
  if (card.pinned) pin(context, width - PAD - 8, 36, palette);
  if (card.doors.length === 0) return;
  context.beginPath();
  context.moveTo(0, CARD_HEAD);
  context.lineTo(width, CARD_HEAD);
  context.lineWidth = 1;
  context.strokeStyle = palette.line;
  context.stroke();
  card.doors.forEach((door, index) => {
    const live = state.live?.doors[index];
    const middle = door.y + 4;
    context.textAlign = 'left';
    context.font = `500 11px ${MONO}`;
    context.fillStyle = palette.text;
    context.fillText(door.port, PAD, middle);
    const after = PAD + context.measureText(door.port).width + 6;
    context.font = `400 10px ${MONO}`;
    context.fillStyle = palette.faint;
    context.fillText(door.protocol, after, middle);
    if (live !== undefined) doorFigures(context, live, width - PAD, middle, palette);
    ring(context, door.y, live, palette);
  });
}

/** Success and round trip at the right end of a door's line. Health appears only where something was asked. */
function doorFigures(context: Surface, live: DoorLive, right: number, y: number, palette: Palette): void {
  context.textAlign = 'right';
  context.font = `400 11px ${MONO}`;
  let x = right;
  if (live.rttMicros > 0) {
    const time = formatMicros(live.rttMicros);
    context.fillStyle = palette.faint;
    context.fillText(time, x, y);
    x -= context.measureText(time).width + 6;
  }
  if (live.verdict === 'quiet') {
    context.fillStyle = palette.faint;
    context.fillText('–', x, y);
    return;
  }
  context.fillStyle = live.forwardedShare < 1 ? palette['dropped-text'] : palette.dim;
  context.fillText(formatShare(live.forwardedShare), x, y);
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

function icon(context: Surface, card: SceneCard, color: string): void {
  context.save();
  context.translate(PAD, 11.5);
  context.scale(16 / 24, 16 / 24);
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

/** Far away only the name is drawn, larger. */
function nameOnly(context: Surface, card: SceneCard, state: CardState, palette: Palette): void {
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  context.font = `600 24px ${SANS}`;
  context.fillStyle = palette.text;
  context.fillText(
    fitText(context, card.title, card.width - 2 * PAD),
    PAD,
    Math.min(card.height / 2, CARD_HEAD / 2 + DOOR_HEIGHT / 2),
  );
  card.doors.forEach((door, index) => {
    ring(context, door.y, state.live?.doors[index], palette);
  });
}
