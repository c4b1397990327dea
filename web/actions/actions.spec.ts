import { describe, expect, test } from 'vitest';
import { isPressed, keyCaps } from './keys.ts';
import { bestMatches, matchScore } from './match.ts';

const NOTHING = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false };

describe('keys', () => {
  test.for<[string, object, boolean, boolean]>([
    ['mod+k', { key: 'k', metaKey: true }, true, true],
    ['mod+k', { key: 'k', ctrlKey: true }, true, false],
    ['mod+k', { key: 'k', ctrlKey: true }, false, true],
    ['mod+k', { key: 'K', ctrlKey: true, shiftKey: true }, false, false],
    ['mod+k', { key: 'k' }, false, false],
    ['?', { key: '?', shiftKey: true }, false, true],
    ['?', { key: '?' }, false, true],
    ['t', { key: 't' }, false, true],
    ['t', { key: 'T', shiftKey: true }, false, false],
    ['t', { key: 't', altKey: true }, false, false],
    ['1', { key: '1', ctrlKey: true }, false, false],
    ['+', { key: '+', shiftKey: true }, false, true],
  ])('%s and %o, on Apple’s %s: %s', ([keys, event, apple, pressed]) => {
    expect(isPressed({ ...NOTHING, key: '', ...event }, keys, apple)).toBe(pressed);
  });

  test('are written as on the keyboard', () => {
    expect(keyCaps('mod+k', true)).toEqual(['⌘', 'K']);
    expect(keyCaps('mod+k', false)).toEqual(['Ctrl', 'K']);
    expect(keyCaps('escape', false)).toEqual(['Esc']);
    expect(keyCaps('+', false)).toEqual(['+']);
    expect(keyCaps('alt+arrows', true)).toEqual(['⌥', '← ↑ ↓ →']);
  });
});

describe('what is typed finds', () => {
  const NAMES = ['Show the flow table', 'Show the map', 'kube-system', 'productpage', 'flow'];

  test('beginnings before words before the rest', () => {
    expect(bestMatches(NAMES, 'flow', String, 9)).toEqual(['flow', 'Show the flow table']);
    expect(bestMatches(NAMES, 'SYS', String, 9)).toEqual(['kube-system']);
  });

  test('beginnings of words, and letters in order', () => {
    expect(bestMatches(NAMES, 'show tab', String, 9)).toEqual(['Show the flow table']);
    expect(bestMatches(NAMES, 'prdpg', String, 9)).toEqual(['productpage']);
  });

  test('everything when nothing is typed, up to the most', () => {
    expect(bestMatches(NAMES, ' ', String, 2)).toEqual(NAMES.slice(0, 2));
    expect(matchScore('productpage', 'xyz')).toBeUndefined();
  });
});
