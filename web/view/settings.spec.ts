import { describe, expect, test } from 'vitest';
import { DEFAULT_SETTINGS, readSettings } from './settings.ts';

describe('remembered settings', () => {
  test.for([null, '', 'nonsense', 'null', '[]', '7', '{"time":"noon","timeZone":"Mars/Olympus","toasts":"maybe"}'])(
    'that cannot be used count as not chosen: %s',
    (text) => {
      expect(readSettings(text)).toEqual(DEFAULT_SETTINGS);
    },
  );

  test('come back as chosen', () => {
    const chosen = {
      time: 'relative',
      timeZone: 'Asia/Singapore',
      motion: 'reduced',
      singleKeys: false,
      toasts: false,
    };
    expect(readSettings(JSON.stringify(chosen))).toEqual(chosen);
  });

  test('of an older page leave the rest at its default', () => {
    expect(readSettings('{"timeZone":"UTC"}')).toEqual({ ...DEFAULT_SETTINGS, timeZone: 'UTC' });
  });
});
