import { describe, expect, test } from 'vitest';
import type { SceneCard } from '../../graph/scene.ts';
import { cardType, ownNameSize } from './card-type.ts';
import type { Surface } from './surface.ts';

/** Letters are half as wide as high. */
const context = {
  font: '',
  measureText(this: { font: string }, text: string) {
    return { width: text.length * 0.5 * Number(/([\d.]+)px/.exec(this.font)![1]) };
  },
} as unknown as Surface;

const card = (title: string, port = '9080') =>
  ({ key: title, title, width: 192, height: 92, doors: [{ port, protocol: 'TCP', y: 72 }] }) as unknown as SceneCard;
const type = (zoom: number, ...cards: SceneCard[]) => cardType(context, cards, new Map(), zoom);
const long = card('recommendation-service-v1');

describe('cards are written in one size', () => {
  test('as large as the longest name allows, within bounds', () => {
    const one = type(1, card('web'));
    expect(one.name).toBe(13.5);
    const both = type(1, card('web'), long);
    expect(both.name).toBeLessThan(one.name);
    expect(both.name).toBeGreaterThan(one.name * 0.6);
  });

  test('and one that is too long in any size is cut, and makes no other small', () => {
    expect(type(1, card('web'), card('x'.repeat(200))).name).toBe(13.5);
    expect(type(1, card('x'.repeat(200))).name).toBe(13.5);
    expect(type(1, card('web'), long, card('x'.repeat(200))).name).toBe(type(1, card('web'), long).name);
  });

  test('or as one long name among five allows: that one is written smaller, or cut', () => {
    const few = ['web', 'cart', 'orders', 'users'].map((title) => card(title));
    expect(type(1, ...few, long).name).toBe(13.5);
    expect(ownNameSize(context, 'web', 13.5, 140)).toBe(13.5);
    expect(ownNameSize(context, 'recommendation-service', 13.5, 140)).toBeCloseTo(140 / 11);
    expect(ownNameSize(context, 'x'.repeat(200), 13.5, 140)).toBeCloseTo(13.5 * 0.68);
  });

  test('which few among very many do not change', () => {
    const many = Array.from({ length: 40 }, (_, index) => card(`web-${index}`));
    expect(type(1, ...many, long).name).toBe(type(1, ...many).name);
  });

  test('that can be read from afar: names, on two lines where that is larger, and ports from not too far', () => {
    const { name, figure } = type(0.3, card('web'));
    expect([name * 0.3 >= 7.5, figure]).toEqual([true, 0]);
    expect(type(0.36, card('web')).figure * 0.36).toBeGreaterThan(7);
    // On one line it would be 17.4.
    expect(type(0.4, card('recommender-services')).name).toBeGreaterThan(24);
  });

  test('and nothing on a card is larger than its name', () => {
    for (const zoom of [0.46, 0.5, 0.7, 1]) {
      const { name, figure } = type(zoom, ...Array.from({ length: 4 }, () => long));
      expect(figure).toBeLessThanOrEqual(name);
    }
  });

  test('and times stand on every door or on none', () => {
    expect(type(1, card('web'), card('db', '53')).times).toBe(true);
    expect(type(0.5, card('web'), card('db', '53')).times).toBe(false);
  });
});
