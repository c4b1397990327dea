import { expect, test } from 'vitest';
import { inTwo } from './fit-text.ts';

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
