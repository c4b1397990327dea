import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LEAST_WORDS_ALPHA } from '../features/map/paint-cards.ts';

const CSS = readFileSync(join(import.meta.dirname, 'tokens.css'), 'utf8');
const THEMES = [...CSS.matchAll(/data-theme="(\w+)"\] \{([^}]*)\}/g)].map(([, name, body]) => ({
  name,
  colors: new Map([...body.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map(([, token, hex]) => [token, rgb(hex)])),
}));

const SURFACES = ['background', 'canvas', 'plate', 'card', 'hover', 'selected', 'chip'];
const TEXTS = ['text', 'dim', 'faint', 'forwarded-text', 'dropped-text', 'audit-text', 'accent-text', 'link'];
/** Lines, dots and rings that mean something. */
const MARKS = ['forwarded', 'dropped', 'audit', 'accent', 'faint'];

describe.for(THEMES)('colours of the $name theme', ({ colors }) => {
  const color = (token: string) => colors.get(token)!;

  test.for(TEXTS)('%s can be read on every surface', (text) => {
    const low = SURFACES.map((surface) => [surface, contrast(color(text), color(surface))] as const);
    expect(low.filter(([, ratio]) => ratio < 4.5)).toEqual([]);
  });

  test('on the rows of what was dropped too, which are tinted', () => {
    const tinted = mix(color('selected'), color('background'), 0.45);
    expect(TEXTS.filter((text) => contrast(color(text), tinted) < 4.5)).toEqual([]);
  });

  test.for(MARKS)('%s is seen on the map', (mark) => {
    const low = ['background', 'canvas', 'plate', 'card'].map((each) => [each, contrast(color(mark), color(each))]);
    expect(low.filter(([, ratio]) => Number(ratio) < 3)).toEqual([]);
  });

  test('names of cards that have faded can be read', () => {
    for (const under of ['canvas', 'plate']) {
      for (const alpha of [0.4, 0.55, 0.75]) {
        const card = mix(color('card'), color(under), alpha);
        const name = mix(color('text'), card, Math.max(alpha, LEAST_WORDS_ALPHA));
        expect(contrast(name, card)).toBeGreaterThanOrEqual(4.5);
      }
    }
  });
});

test('both themes name the same colours', () => {
  expect(THEMES.map(({ name }) => name)).toEqual(['dark', 'light']);
  expect([...THEMES[0].colors.keys()]).toEqual([...THEMES[1].colors.keys()]);
});

type Rgb = readonly [red: number, green: number, blue: number];

function rgb(hex: string): Rgb {
  const part = (at: number) => Number.parseInt(hex.slice(at, at + 2), 16);
  return [part(1), part(3), part(5)];
}

function mix(over: Rgb, under: Rgb, alpha: number): Rgb {
  const part = (at: number) => over[at] * alpha + under[at] * (1 - alpha);
  return [part(0), part(1), part(2)];
}

/** As WCAG 2 has it: from 1, alike, to 21, black on white. */
function contrast(a: Rgb, b: Rgb): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((one, other) => other - one);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
