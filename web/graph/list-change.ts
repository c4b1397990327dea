/** A list told as a change of the one before. */
export interface ListChange<T> {
  /** Per entry its place in the list before; what is new stands as −1 − its place in `fresh`. */
  readonly places: Int32Array<ArrayBuffer>;
  readonly fresh: readonly T[];
}

/** Keys are unique in each list. An entry stays if it is equal, in all it says, to that of its key before. */
export function listChange<T extends { readonly key: string }>(
  before: readonly T[],
  after: readonly T[],
): ListChange<T> {
  const known = new Map(before.map(({ key }, place) => [key, place]));
  const fresh: T[] = [];
  const places = Int32Array.from(after, (entry) => {
    const place = known.get(entry.key);
    if (place !== undefined && isSame(before[place], entry)) return place;
    fresh.push(entry);
    return -fresh.length;
  });
  return { places, fresh };
}

/** The list after the change. What stayed is the same object as before. */
export function changedList<T>(before: readonly T[], { places, fresh }: ListChange<T>): T[] {
  return Array.from(places, (place) => (place >= 0 ? before[place] : fresh[-1 - place]));
}

/** Of plain data: numbers, words, arrays, and objects of the same fields. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((each, at) => isSame(each, b[at]));
  }
  for (const field in a) if (!isSame(a[field as never], b[field as never])) return false;
  return true;
}
