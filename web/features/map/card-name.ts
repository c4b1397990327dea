import { LEAST_OWN_SHARE, NAME, NAME_FONT, SANS } from './card-type.ts';
import { aboutWidths, fitMiddle, fitTwo, inTwo, measuredWith } from './fit-text.ts';
import type { Surface } from './surface.ts';

/** A name as it is written on its card: on one line or two, in map units. */
export interface WrittenName {
  readonly lines: readonly string[];
  readonly size: number;
}

/** What a card has for its name, in map units. */
export interface NameRoom {
  readonly width: number;
  readonly height: number;
  /** The size of the map's names. */
  readonly most: number;
  /** Smaller than this it cannot be read. */
  readonly least: number;
}

/** Distance of two lines, and the height they need together, in sizes. */
export const LINE_PITCH = 1.08;
const TWO_LINES = 2.2;
/** The same where there is no other way. */
const TWO_CROWDED_LINES = 2.1;
/** Sizes in which a name is tried, as shares of the map's. */
const SHARES = [1, 0.84, LEAST_OWN_SHARE];
/** Widths told from letters are a little too large. */
const JUST_FITS = 1.03;
const MOST_REMEMBERED = 5_000;

const written = new Map<string, WrittenName>();

/** The name on one line, else on two, else smaller, else broken or cut. Remembered: very many stand on a map that moves. */
export function writtenName(context: Surface, title: string, room: NameRoom): WrittenName {
  const { width, height, most, least } = room;
  const key = `${measuredWith()} ${width} ${height} ${most} ${least} ${title}`;
  let name = written.get(key);
  if (name === undefined) {
    name = write(context, title, room);
    if (written.size > MOST_REMEMBERED) written.clear();
    written.set(key, name);
  }
  return name;
}

function write(context: Surface, title: string, { width, height, most, least }: NameRoom): WrittenName {
  const widthOf = aboutWidths(context, NAME_FONT);
  const fits = (text: string, size: number) => (widthOf(text) / NAME) * size <= width * JUST_FITS;
  const parted = inTwo(title, false);
  // `checkout-1` is not parted for its number.
  const isParted = Math.min(...parted.map(({ length }) => length)) > 2;
  for (const share of SHARES) {
    const size = Math.min(most, Math.max(most * share, least));
    if (fits(title, size)) return { lines: [title], size };
    if (isParted && size * TWO_LINES <= height && parted.every((part) => fits(part, size))) {
      return { lines: parted, size };
    }
  }
  context.font = `600 ${most}px ${SANS}`;
  if (most * TWO_CROWDED_LINES > height) return { lines: [fitMiddle(context, title, width)], size: most };
  const broken = inTwo(title, true);
  const isWhole = broken.every((part) => fits(part, most));
  return { lines: isWhole ? broken : fitTwo(context, title, width), size: most };
}
