import { describe, expect, test } from 'vitest';
import { writtenName } from './card-name.ts';
import type { Surface } from './surface.ts';

let measured = 0;
/** Letters are half as wide as high. */
const context = {
  font: '',
  measureText(this: { font: string }, text: string) {
    measured++;
    return { width: text.length * 0.5 * Number(/([\d.]+)px/.exec(this.font)![1]) };
  },
} as unknown as Surface;

const room = { width: 174, height: 58, most: 26, least: 20 };

describe('a name from far away', () => {
  test('stands on one line where it fits', () => {
    expect(writtenName(context, 'frontend', room)).toEqual({ lines: ['frontend'], size: 26 });
  });

  test('on two where both are large enough to be read', () => {
    expect(writtenName(context, 'load-generator', room)).toEqual({ lines: ['load-', 'generator'], size: 26 });
  });

  test('smaller on one line rather than parted for its number', () => {
    const { lines, size } = writtenName(context, 'notification-1', room);
    expect([lines, size]).toEqual([['notification-1'], 26 * 0.84]);
  });

  test('never smaller than can be read: then it is cut', () => {
    const { lines, size } = writtenName(context, 'recommendations-of-everything', { ...room, height: 40 });
    expect(size).toBe(26);
    expect(lines).toEqual([expect.stringMatching(/^recom\w*…\w*hing$/)]);
  });

  test('is measured once', () => {
    writtenName(context, 'shipping-and-handling', room);
    const before = measured;
    writtenName(context, 'shipping-and-handling', room);
    expect(measured).toBe(before);
  });
});
