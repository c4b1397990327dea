import type { Surface } from './surface.ts';

const MOST_REMEMBERED = 5_000;
const fitted = new Map<string, string>();
const widths = new Map<string, number>();

/** Width of a text in the context's font. Remembered: measuring text is slow. */
export function textWidth(context: Pick<Surface, 'font' | 'measureText'>, text: string): number {
  const key = `${context.font}|${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    width = context.measureText(text).width;
    if (widths.size > MOST_REMEMBERED) widths.clear();
    widths.set(key, width);
  }
  return width;
}

/** By font: how wide each letter is. */
const letterWidths = new Map<string, Map<string, number>>();
const MOST_FONTS = 100;
const MOST_LETTERS = 2_000;

/**
 * Tells about the width of texts in a font, from the widths of their letters: kerning makes it a little less. Measuring each of a
 * thousand names takes longer than a frame; their letters are few. Sets the context's font.
 */
export function aboutWidths(context: Pick<Surface, 'font' | 'measureText'>, font: string): (text: string) => number {
  context.font = font;
  let known = letterWidths.get(font);
  if (known === undefined || known.size > MOST_LETTERS) {
    if (letterWidths.size > MOST_FONTS) letterWidths.clear();
    known = new Map();
    letterWidths.set(font, known);
  }
  const letters = known;
  const widthOf = (letter: string) => {
    const { width } = context.measureText(letter);
    letters.set(letter, width);
    return width;
  };
  return (text) => {
    let sum = 0;
    for (const letter of text) sum += letters.get(letter) ?? widthOf(letter);
    return sum;
  };
}

/** Text that was given the size at which it just fits is a little wider or narrower: letters come in whole steps of size. */
const JUST_FITS = 1.03;

/** The text, its end cut with an ellipsis where it is wider than this. Remembered: measuring text is slow. */
export function fitText(context: Pick<Surface, 'font' | 'measureText'>, text: string, width: number): string {
  return cutTo(context, text, width, 0);
}

/** The same, cut in its middle: names that are told apart by their ends begin alike. */
export function fitMiddle(context: Pick<Surface, 'font' | 'measureText'>, text: string, width: number): string {
  return cutTo(context, text, width, 0.4);
}

/** `tail` is the share of what is left that stands behind the ellipsis. */
function cutTo(context: Pick<Surface, 'font' | 'measureText'>, text: string, width: number, tail: number): string {
  const key = `${context.font}|${Math.floor(width)}|${tail}|${text}`;
  const known = fitted.get(key);
  if (known !== undefined) return known;
  let shown = text;
  if (context.measureText(text).width > width * JUST_FITS) {
    const cut = (letters: number) => {
      const behind = Math.floor(letters * tail);
      // A sign beside the ellipsis looks like a part of it.
      const before = text.slice(0, letters - behind).replace(/[-._/: ]$/, '');
      return `${before}…${behind > 0 ? text.slice(-behind).replace(/^[-._/: ]/, '') : ''}`;
    };
    let low = 0;
    let high = text.length;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (context.measureText(cut(middle)).width <= width) low = middle;
      else high = middle - 1;
    }
    shown = low === 0 ? '' : cut(low);
  }
  if (fitted.size > MOST_REMEMBERED) fitted.clear();
  fitted.set(key, shown);
  return shown;
}

const twos = new Map<string, readonly [string, string]>();

/** The text on two lines, as much of its beginning and of its end as there is room for. */
export function fitTwo(
  context: Pick<Surface, 'font' | 'measureText'>,
  text: string,
  width: number,
): readonly [first: string, second: string] {
  const key = `${context.font}|${Math.floor(width)}|${text}`;
  const known = twos.get(key);
  if (known !== undefined) return known;
  const letters = [...text];
  const most = (cut: (count: number) => string) => {
    let low = 0;
    let high = letters.length;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (context.measureText(cut(middle)).width <= width) low = middle;
      else high = middle - 1;
    }
    return cut(low);
  };
  const first = most((count) => letters.slice(0, count).join(''));
  const second = most((count) => `…${letters.slice(letters.length - count).join('')}`);
  if (twos.size > MOST_REMEMBERED) twos.clear();
  twos.set(key, [first, second]);
  return [first, second];
}

const halves = new Map<string, readonly [string, string]>();
/** How much shorter the longer line must get for a word to be broken rather than parted where it has a sign. */
const BREAK_WORD = 1.35;

/** A name on two lines about as long: parted behind a sign, or anywhere. The second is empty where there is no place for it. */
export function inTwo(text: string, anywhere: boolean): readonly [first: string, second: string] {
  const key = `${anywhere ? '' : '-'}|${text}`;
  const known = halves.get(key);
  if (known !== undefined) return known;
  const letters = [...text];
  let best = letters.length;
  let least = Number.POSITIVE_INFINITY;
  for (let at = 2; at < letters.length; at++) {
    const isSign = /[-._/: ]/.test(letters[at - 1]);
    if (!isSign && !anywhere) continue;
    const longer = Math.max(at, letters.length - at);
    const cost = isSign ? longer : longer * BREAK_WORD;
    if (cost < least) [best, least] = [at, cost];
  }
  const parted = [letters.slice(0, best).join(''), letters.slice(best).join('')] as const;
  if (halves.size > MOST_REMEMBERED) halves.clear();
  halves.set(key, parted);
  return parted;
}

let fonts = 0;

/** Another number after fonts have come. */
export function measuredWith(): number {
  return fonts;
}

/** After fonts have come, what was measured with others no longer holds. */
export function forgetFits(): void {
  fonts++;
  fitted.clear();
  twos.clear();
  widths.clear();
  letterWidths.clear();
}
