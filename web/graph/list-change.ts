/** A list told as a change of the one before. */
export interface ListChange<T> {
  /** Per entry its place in the list before; what is new stands as −1 − its place in `fresh`. */
  readonly places: Int32Array<ArrayBuffer>;
  readonly fresh: readonly T[];
}

/** `isSame`: whether two entries of the same key are equal in all they say. Keys are unique in each list. */
export function listChange<T extends { readonly key: string }>(
  before: readonly T[],
  after: readonly T[],
  isSame: (a: T, b: T) => boolean,
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
