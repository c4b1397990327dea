/** Small settings of this browser. A page in a sandboxed frame has no storage: there they last as long as the page. */
const PREFIX = 'waggle.';
const own = new Map<string, string>();

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return own.get(name) ?? null;
  }
}

export function remember(name: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    own.set(name, value);
  }
}
