/**
 * Keys as text: `?`, `1`, `mod+k`, `shift+n`. `mod` is Cmd on Apple's machines and Ctrl elsewhere; `alt` is only told. A sign that needs Shift on
 * some keyboards is written as the sign (`?`), whatever is pressed to get it.
 */
export type Keys = string;

export const isApple = (platform: string): boolean => /mac|iphone|ipad/i.test(platform);

type Pressed = Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>;

export function isPressed(event: Pressed, keys: Keys, apple: boolean): boolean {
  const { mod, shift, key } = read(keys);
  const wanted = apple ? event.metaKey : event.ctrlKey;
  const other = apple ? event.ctrlKey : event.metaKey;
  if (mod !== wanted || other || event.altKey) return false;
  if (event.key.toLowerCase() !== key) return false;
  // A letter is another one with Shift; a sign is itself.
  return /^[a-z]$/.test(key) ? event.shiftKey === shift : true;
}

/** Whether the keys type something: in a text field they are for the field. */
export function isTyped(keys: Keys): boolean {
  return !read(keys).mod;
}

/** For people, one entry per key cap: `⌘`, `K` or `Ctrl`, `K`. */
export function keyCaps(keys: Keys, apple: boolean): string[] {
  const { mod, alt, shift, key } = read(keys);
  return [
    mod && (apple ? '⌘' : 'Ctrl'),
    alt && (apple ? '⌥' : 'Alt'),
    shift && 'Shift',
    CAPS[key] ?? (key.length === 1 ? key.toUpperCase() : key),
  ].filter((cap) => cap !== false);
}

const CAPS: Readonly<Record<string, string>> = {
  escape: 'Esc',
  enter: 'Enter',
  backspace: 'Backspace',
  tab: 'Tab',
  pageup: 'PgUp',
  pagedown: 'PgDn',
  home: 'Home',
  end: 'End',
  arrows: '← ↑ ↓ →',
  arrowup: '↑',
  arrowdown: '↓',
  arrowleft: '←',
  arrowright: '→',
};

function read(keys: Keys): { mod: boolean; alt: boolean; shift: boolean; key: string } {
  // The last `+` may be the key itself.
  const parts = keys.toLowerCase().split(/\+(?=.)/);
  return {
    mod: parts.includes('mod'),
    alt: parts.includes('alt'),
    shift: parts.includes('shift'),
    key: parts.at(-1) ?? '',
  };
}
