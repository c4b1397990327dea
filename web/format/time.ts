const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hour12: false,
});

/** `10:41:07.382` in the browser's time zone. */
export function formatClock(milliseconds: number): string {
  return `${clock.format(milliseconds)}.${String(Math.floor(milliseconds) % 1000).padStart(3, '0')}`;
}

export function formatClockSeconds(milliseconds: number): string {
  return clock.format(milliseconds);
}

/** How long ago: `now`, `12 s ago`, `2 min ago`, `3 h ago`, `4 d ago`. */
export function formatAgo(milliseconds: number, now: number): string {
  const seconds = Math.max(0, (now - milliseconds) / 1000);
  if (seconds < 11) return 'now';
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

export const timeZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;
