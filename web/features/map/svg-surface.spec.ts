import { describe, expect, test } from 'vitest';
import { routeBounds } from '../../graph/route.ts';
import { arrowLook } from './arrow-look.ts';
import { shiftedRoute, turnsOf } from './curve.ts';
import { paintArrow } from './paint-arrows.ts';
import type { Palette } from './palette.ts';
import { SvgSurface } from './svg-surface.ts';
import { fitted } from './viewport.ts';

const ruler = { font: '', measureText: (text: string) => ({ width: text.length * 6 }) } as CanvasRenderingContext2D;
const palette = new Proxy({}, { get: (_, token) => `var-${String(token)}` }) as Palette;
const BOUNDS = { x: 0, y: 0, width: 100, height: 50 };
const ROUTE = { start: [0, 0], end: [100, 40], controls: [50, 0, 50, 40] } as const;
const LIVE = {
  width: 2,
  rate: 1,
  connections: 1,
  bytes: 1,
  replyBytes: 1,
  rttMicros: 0,
  requests: 0,
  answeredShare: -1,
  p99Micros: 0,
  dropsPerMinute: 0,
  dropReason: 0,
};

describe('a drawing as SVG', () => {
  test('places what is painted after moving and scaling, and takes it back', () => {
    const surface = new SvgSurface(ruler);
    surface.save();
    surface.translate(10, 20);
    surface.scale(2, 2);
    surface.fillStyle = '#123456';
    surface.fillRect(1, 1, 3, 4);
    surface.restore();
    surface.font = '600 12px "Inter", sans-serif';
    surface.textAlign = 'right';
    surface.fillText('a<b & "c"', 5, 6);
    const text = surface.document(BOUNDS, 'A <map>');
    expect(text).toContain('viewBox="0 0 100 50"');
    expect(text).toContain('<title>A &lt;map&gt;</title>');
    expect(text).toMatch(/<path d="M12 22h6[^"]*v8[^"]*" fill="#123456"\/>/);
    expect(text).toMatch(
      /<text x="5" y="6" [^>]*font-weight="600" font-size="12" text-anchor="end" textLength="54" lengthAdjust="spacingAndGlyphs">a&lt;b &amp; &quot;c&quot;</,
    );
  });

  test('tells verdicts by dash and colour, as the screen does', () => {
    const drawn = (verdict: 'forwarded' | 'dropped' | 'mixed' | 'audit' | 'quiet') => {
      const surface = new SvgSurface(ruler);
      paintArrow(surface, ROUTE, arrowLook({ ...LIVE, verdict, quiet: 0 }, undefined, false, palette), { palette });
      return surface.document(BOUNDS, '');
    };
    expect(drawn('forwarded')).not.toContain('dasharray');
    expect(drawn('forwarded')).toContain('stroke="var-forwarded"');
    expect(drawn('dropped')).toContain('stroke="var-dropped" stroke-width="2"');
    expect(drawn('dropped')).toContain('stroke-dasharray="6 5"');
    const mixed = drawn('mixed');
    expect(mixed).toContain('stroke="var-forwarded"');
    expect(mixed).toContain('stroke="var-dropped"');
    expect(mixed).toContain('stroke-dashoffset="-18"');
    expect(drawn('audit')).toContain('stroke-dasharray="2 4"');
    expect(
      new Set(
        ['forwarded', 'dropped', 'mixed', 'audit'].map((each) => /dasharray="[^"]*"/.exec(drawn(each as 'audit'))?.[0]),
      ).size,
    ).toBe(4);
  });
});

test('an arrow that is dragged by one end keeps the other', () => {
  const moved = shiftedRoute(ROUTE, { start: [10, 10], end: [0, 0] });
  expect(moved.start).toEqual([10, 10]);
  expect(moved.end).toEqual([100, 40]);
  expect(moved.controls).toEqual([60, 10, 50, 40]);
  expect(routeBounds(moved)).toEqual({ x: 10, y: 10, width: 90, height: 30 });
  expect(turnsOf(ROUTE)).toEqual([[50, 20]]);
});

test('the whole map fits between what lies over it', () => {
  const insets = { top: 50, right: 20, bottom: 50, left: 20 };
  const { zoom, pan } = fitted({ x: 0, y: 0, width: 800, height: 200 }, { width: 440, height: 300 }, insets, 1)!;
  expect([zoom, pan]).toEqual([0.5, { x: 20, y: 100 }]);
  expect(fitted({ x: 0, y: 0, width: 0, height: 0 }, { width: 440, height: 300 }, insets, 1)).toBeUndefined();
  expect(fitted({ x: 0, y: 0, width: 9, height: 9 }, { width: 30, height: 300 }, insets, 1)).toBeUndefined();
});
