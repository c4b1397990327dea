import type { ArrowVerdict } from '../../graph/model.ts';

const TOKENS = [
  'canvas',
  'dot',
  'plate',
  'plate-line',
  'card',
  'line',
  'text',
  'dim',
  'faint',
  'chip',
  'forwarded',
  'dropped',
  'dropped-text',
  'audit',
  'accent',
] as const;

type Token = (typeof TOKENS)[number];

/** The theme's colours as a canvas needs them. */
export type Palette = Readonly<Record<Token, string>>;

export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(TOKENS.map((token) => [token, style.getPropertyValue(`--${token}`).trim()])) as Palette;
}

export function verdictColor(palette: Palette, verdict: ArrowVerdict): string {
  switch (verdict) {
    case 'forwarded':
    case 'permitted':
      return palette.forwarded;
    case 'dropped':
    case 'mixed':
      return palette.dropped;
    case 'audit':
      return palette.audit;
    case 'quiet':
    case 'open':
      return palette.faint;
  }
}
