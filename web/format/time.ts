const PARTS = { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false } as const;

let zone = '';
let clock = new Intl.DateTimeFormat('en-GB', PARTS);
let calendar = calendarOf('');

/** Times are written for this zone from now on: an IANA name, or empty for the browser's own. */
export function setTimeZone(name: string): void {
  if (name === zone) return;
  zone = name;
  clock = new Intl.DateTimeFormat('en-GB', name === '' ? PARTS : { ...PARTS, timeZone: name });
  calendar = calendarOf(name);
}

function calendarOf(name: string): Intl.DateTimeFormat {
  const parts = { year: 'numeric', month: '2-digit', day: '2-digit', timeZoneName: 'shortOffset', ...PARTS } as const;
  return new Intl.DateTimeFormat('en-GB', name === '' ? parts : { ...parts, timeZone: name });
}

/** `10:41:07.382` in the zone chosen. */
export function formatClock(milliseconds: number): string {
  return `${clock.format(milliseconds)}.${String(Math.floor(milliseconds) % 1000).padStart(3, '0')}`;
}

export function formatClockSeconds(milliseconds: number): string {
  return clock.format(milliseconds);
}

/** `2026-11-21 10:41:07.382 UTC+8`: the whole of it, for tooltips. */
export function formatMoment(milliseconds: number): string {
  const parts = Object.fromEntries(calendar.formatToParts(milliseconds).map(({ type, value }) => [type, value]));
  // As the rest of the page has it; GMT is also a zone of its own, with summer time in some places.
  const offset = parts.timeZoneName.replace(/^GMT(\+0$)?/, 'UTC');
  return `${parts.year}-${parts.month}-${parts.day} ${formatClock(milliseconds)} ${offset}`;
}

/** How long ago: `now`, `12 s ago`, `2 min ago`, `3 h ago`, `4 d ago`. `now` is up to `nowSeconds` long. */
export function formatAgo(milliseconds: number, now: number, nowSeconds = 11): string {
  const span = Math.max(0, now - milliseconds);
  return span < nowSeconds * 1000 ? 'now' : `${formatSpan(span)} ago`;
}

/** How long: `12 s`, `2 min`, `3 h`, `4 d`; what is not whole is left off. */
export function formatSpan(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** Name of the zone that times are written for. */
export const timeZone = (): string => (zone === '' ? Intl.DateTimeFormat().resolvedOptions().timeZone : zone);
