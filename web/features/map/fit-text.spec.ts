import { expect, test } from 'vitest';
import { fitMiddle, fitText, fitTwo, inTwo } from './fit-text.ts';

test('only what is wider than its room is cut', () => {
  const context = { font: '10px x', measureText: (text: string) => ({ width: 10 * text.length }) as TextMetrics };
  expect(fitText(context, 'load-generator', 140)).toBe('load-generator');
  expect(fitText(context, 'load-generator', 139)).toBe('load-generator');
  expect(fitText(context, 'load-generator', 130)).toBe('load-generat…');
  expect(fitText(context, 'load-generator', 5)).toBe('');
  // Names that are told apart by their ends begin alike.
  expect(fitMiddle(context, 'load-generator', 140)).toBe('load-generator');
  expect(fitMiddle(context, 'recommendation-v2', 110)).toBe('recomm…n-v2');
});

test('a name too long for two lines is cut between them', () => {
  const context = { font: '10px x', measureText: (text: string) => ({ width: 10 * text.length }) as TextMetrics };
  expect(fitTwo(context, 'team-11-recommendation-4', 80)).toEqual(['team-11-', '…ation-4']);
});

test('a name on two lines is whole', () => {
  for (const name of ['shipping-1', 'recommendation', 'api.example.com', 'w', '名前🐝名前🐝名前']) {
    for (const anywhere of [false, true]) expect(inTwo(name, anywhere).join('')).toBe(name);
  }
});

test('is parted behind a sign, or anywhere, into lines about as long', () => {
  expect(inTwo('my-checkout-service', false)).toEqual(['my-checkout-', 'service']);
  expect(inTwo('recommendation', false)).toEqual(['recommendation', '']);
  expect(inTwo('recommendation', true)).toEqual(['recomme', 'ndation']);
  expect(inTwo('checkout-service', true)).toEqual(['checkout-', 'service']);
});
