/** What a terminal obeys instead of showing it: controls of C0 and C1, and those that turn the direction of writing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the ones that are looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text from elsewhere as it may stand in a line of a terminal. Names in flows are somebody's input: a file's, or another
 * server's. Escape becomes `^[` and a line's end `\n`, so that nobody's name can colour, retitle or write lines.
 */
export function terminalText(text: string): string {
  return text.replace(CONTROLS, visible);
}

/** Of a text in JSON, which has its own escapes of C0: those that it leaves as they are. */
export function terminalJson(json: string): string {
  return json.replace(CONTROLS, unicodeEscape);
}

function visible(control: string): string {
  return SHORT[control] ?? unicodeEscape(control);
}

const SHORT: Readonly<Record<string, string>> = { '\u001b': '^[', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function unicodeEscape(control: string): string {
  return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
