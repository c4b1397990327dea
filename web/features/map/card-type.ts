import { CARD_HEAD, DOOR_HEIGHT } from '../../graph/geometry.ts';
import type { CardLive } from '../../graph/live.ts';
import type { SceneCard } from '../../graph/scene.ts';
import { aboutWidths, inTwo, measuredWith } from './fit-text.ts';
import type { Surface } from './surface.ts';

export const SANS = '"Inter Variable", system-ui, sans-serif';
export const MONO = '"JetBrains Mono Variable", ui-monospace, monospace';
/** JetBrains Mono: every character is so wide, in parts of its size. */
export const MONO_WIDTH = 0.6;
export const PAD = 12;
/** Sizes at zoom 1, in map units. */
export const NAME = 13.5;
/** Names are measured in this one. */
export const NAME_FONT = `600 ${NAME}px ${SANS}`;
const SENTENCE = 11.5;
const FIGURE = 11;
/** A protocol is written so much smaller than the port before it. */
export const PROTOCOL = 0.9;
/** Between icon and name. */
const ICON_GAP = 8;
/** Names smaller than this, in pixels of the screen, cannot be read. */
export const LEAST_NAME = 7.5;
/** Ports below names that are all there is, in pixels of the screen: the name leads. */
const LEAST_PORT = 7.2;
const MOST_PORT = 9;
/** How much of a door's height they take: `3306 TCP` and `97.2%` stand beside each other. */
const PORT_SHARE = 0.78;
/** Names are as large as so many of them fit; a longer one is written smaller on its own card, and makes no other small. */
const MOST_NAMES = 0.8;
/** How much smaller, before it is cut. */
export const LEAST_OWN_SHARE = 0.68;
/** Sizes of names that are tried, as shares of the wanted one. */
const STEPS = [1, 0.92, 0.84, 0.76, 0.68];
/** Letters of the longest usual figures of a door: `99.8%`, `1.0 ms`, `p99 1.0 ms`. */
const SHARE_LETTERS = 5;
const TIME_LETTERS = 6;
const P99_LETTERS = 10;

/** How much of a card can be read at this zoom. */
export type Detail = 'full' | 'name' | 'shape';

export function detailAt(zoom: number): Detail {
  return zoom >= 0.45 ? 'full' : zoom >= 0.2 ? 'name' : 'shape';
}

/** How much larger text is written than at zoom 1, so that it can be read on a smaller map; cards keep their size. */
export function typeScale(zoom: number): number {
  return Math.min(1.75, Math.max(1, Math.round((0.88 / zoom) * 20) / 20));
}

/** In what sizes a map's cards are written, in map units: all of them alike, whatever stands on each. */
export interface CardType {
  readonly name: number;
  readonly sentence: number;
  /** Of what stands beside a door; 0 = nothing does. */
  readonly figure: number;
  readonly icon: number;
  /** Where the name begins. */
  readonly nameLeft: number;
  /** Whether doors have room for how long answers, or round trips, take. */
  readonly times: boolean;
}

let known: { readonly cards: unknown; readonly key: string; readonly type: CardType } | undefined;

/** Remembered for the cards and the zoom asked for last. */
export function cardType(
  context: Surface,
  cards: readonly SceneCard[],
  live: ReadonlyMap<string, CardLive>,
  zoom: number,
): CardType {
  const letters = timeLetters(live);
  const key = `${zoom} ${letters} ${measuredWith()}`;
  if (known?.cards === cards && known.key === key) return known.type;
  const type = detailAt(zoom) === 'full' ? fullType(context, cards, letters, zoom) : nameType(context, cards, zoom);
  known = { cards, key, type };
  return type;
}

function fullType(context: Surface, cards: readonly SceneCard[], letters: number, zoom: number): CardType {
  const scale = typeScale(zoom);
  const icon = 16 * Math.min(scale, 1.3);
  const nameLeft = PAD + icon + ICON_GAP;
  const widthOf = aboutWidths(context, NAME_FONT);
  const fits = cards.map((card) => ((card.width - PAD - nameLeft) / widthOf(card.title)) * NAME);
  const figure = doorFigure(cards, letters, scale);
  const name = chosenSize(NAME * scale, fits);
  return {
    name,
    sentence: SENTENCE * Math.min(scale, 1.4),
    // The name leads.
    figure: Math.min(figure.size, name),
    icon,
    nameLeft,
    times: figure.times,
  };
}

/** So large that port, protocol, success and time stand beside each other; else without the time. */
function doorFigure(cards: readonly SceneCard[], letters: number, scale: number) {
  let line = 0;
  let room = 0;
  for (const { doors, width } of cards) {
    room = width - 2 * PAD;
    // Ports of five digits count as four: those who have one do without the time.
    for (const { port, protocol } of doors) {
      line = Math.max(line, Math.min(port.length, 4) + 0.9 + Math.min(protocol.length, 4) * PROTOCOL);
    }
  }
  if (line === 0) return { size: FIGURE * scale, times: true };
  const wanted = FIGURE * scale;
  const whole = room / ((line + 1 + SHARE_LETTERS + 0.6 + letters) * MONO_WIDTH);
  if (whole >= Math.max(FIGURE * 0.88, wanted * 0.84)) return { size: Math.min(wanted, whole), times: true };
  return { size: Math.min(wanted, room / ((line + 1 + 1 + SHARE_LETTERS) * MONO_WIDTH)), times: false };
}

function timeLetters(live: ReadonlyMap<string, CardLive>): number {
  for (const { doors } of live.values()) for (const { p99Micros } of doors) if (p99Micros > 0) return P99_LETTERS;
  return TIME_LETTERS;
}

/** From far away there are the name, as large as it can be read, on two lines rather than small, and ports where lines are high enough. */
function nameType(context: Surface, cards: readonly SceneCard[], zoom: number): CardType {
  const wanted = 11.5 / zoom;
  const least = LEAST_NAME / zoom;
  const figure = portSize(zoom);
  const widthOf = aboutWidths(context, NAME_FONT);
  const fits = cards.map((card) => {
    const room = nameRoom(card);
    const height = nameHeight(card, figure);
    const one = Math.min(height * 0.75, (room / widthOf(card.title)) * NAME);
    const lines = inTwo(card.title, false);
    if (lines[1] === '') return one;
    const widest = Math.max(widthOf(lines[0]), widthOf(lines[1]));
    return Math.max(one, Math.min(height * 0.45, (room / widest) * NAME));
  });
  const name = Math.max(least, chosenSize(wanted, fits));
  return { name, sentence: 0, figure, icon: 0, nameLeft: PAD * 0.75, times: false };
}

/** Of ports beside names, in map units; 0 where they could not be read. */
function portSize(zoom: number): number {
  const most = Math.min(DOOR_HEIGHT * PORT_SHARE, MOST_PORT / zoom);
  return most * zoom >= LEAST_PORT ? most : 0;
}

/** The size of a name on one line: the map's, or what it takes for a long one to fit. Sets the context's font. */
export function ownNameSize(context: Surface, title: string, size: number, room: number): number {
  const width = (aboutWidths(context, NAME_FONT)(title) / NAME) * size;
  return Math.max(size * LEAST_OWN_SHARE, Math.min(size, (size * room) / width));
}

/** Height of the part of a card that its name stands in, from the card's top, where ports are so large. */
export function nameHeight({ doors, height }: SceneCard, figure: number): number {
  return figure > 0 && doors.length > 0 ? CARD_HEAD : height;
}

/** Width for a name that stands without an icon. */
export function nameRoom({ width }: SceneCard): number {
  return width - 1.5 * PAD;
}

/** The largest of the steps at which most fit. Names that are too long for every one of them are cut, and make no other small. */
function chosenSize(wanted: number, fits: readonly number[]): number {
  const fitting = (step: number) => fits.reduce((count, fit) => count + (fit >= wanted * step * 0.98 ? 1 : 0), 0);
  const least = STEPS[STEPS.length - 1];
  const most = fitting(least) * MOST_NAMES;
  return wanted * (STEPS.find((step) => fitting(step) >= most) ?? least);
}
