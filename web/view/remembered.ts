/** Small settings of this browser. Where it has no storage, as in a sandboxed frame, or no room, they last as long as the page. */
const PREFIX = 'waggle.';
const own = new Map<string, string>();

export function recall(name: string): string | null {
  const kept = own.get(name);
  if (kept !== undefined) return kept;
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

/** Whether it is there again after a reload. */
export function remember(name: string, value: string): boolean {
  try {
    localStorage.setItem(PREFIX + name, value);
    return own.delete(name) || true;
  } catch {
    own.set(name, value);
    return false;
  }
}
