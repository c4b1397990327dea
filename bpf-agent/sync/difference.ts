/** The smallest change that turns one map into another. */
export interface Difference<K, V> {
  readonly set: readonly (readonly [K, V])[];
  readonly delete: readonly K[];
}

/** @param equal when two values need no write; identity by default */
export function difference<K, V>(
  current: ReadonlyMap<K, V>,
  desired: ReadonlyMap<K, V>,
  equal: (a: V, b: V) => boolean = Object.is,
): Difference<K, V> {
  const set: [K, V][] = [];
  const gone: K[] = [];
  for (const [key, value] of desired) {
    const before = current.get(key);
    if (before === undefined || !equal(before, value)) set.push([key, value]);
  }
  for (const key of current.keys()) if (!desired.has(key)) gone.push(key);
  return { set, delete: gone };
}

export function isEmpty({ set, delete: gone }: Difference<unknown, unknown>): boolean {
  return set.length === 0 && gone.length === 0;
}
