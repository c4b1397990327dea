/**
 * Bundles: where there are more plates than can be read at once, those whose names begin alike are one card. A bundle's id is the
 * common beginning of its plates' ids and a star, which no name of Kubernetes holds: `cluster/payments-*`.
 */
const STAR = '*';

/** With about so many cards a map can be read as a whole. */
const MOST_BUNDLES = 60;
/** Fewer plates than this are not parted further. */
const LEAST_PARTED = 8;

export function isBundle(id: string): boolean {
  return id.endsWith(STAR);
}

/** Whether a folded card with this id, of a plate or of a bundle, stands for the plate. */
export function standsFor(folded: string, plate: string): boolean {
  return isBundle(folded) ? plate.startsWith(folded.slice(0, -1)) : plate === folded;
}

/** Its name for people: that of its plates as far as it is the same, `payments-*`. */
export function bundleTitle(id: string): string {
  return id.slice(id.indexOf('/') + 1);
}

/**
 * Ids of bundles, such that they and the plates in none of them are few enough. No plate is in two. The result depends on the
 * names alone, and seldom changes when one comes or goes.
 */
export function bundlesOf(plates: Iterable<string>, most: number = MOST_BUNDLES): string[] {
  let groups = [[...plates].sort()];
  const total = groups[0].length;
  // In steps of two: what is large enough to be parted does not change with each newcomer.
  const large = Math.max(LEAST_PARTED, 2 ** Math.ceil(Math.log2((1.5 * total) / most)));
  const whole = new Set<readonly string[]>();
  for (;;) {
    const largest = groups.reduce((a, b) => (whole.has(a) || (!whole.has(b) && b.length > a.length) ? b : a));
    if (whole.has(largest) || largest.length <= large) break;
    const parts = partedAfter(commonStart(largest), largest);
    if (groups.length - 1 + parts.length > most) whole.add(largest);
    else groups = groups.flatMap((group) => (group === largest ? parts : [group]));
  }
  return groups.filter((group) => group.length > 1).map((group) => `${commonStart(group)}${STAR}`);
}

/** Of sorted names. */
function commonStart(sorted: readonly string[]): string {
  const [first, last] = [sorted[0], sorted.at(-1)!];
  let at = 0;
  while (at < first.length && first[at] === last[at]) at++;
  return first.slice(0, at);
}

/** By the letter after the start; a name that ends there is one of its own. */
function partedAfter(start: string, sorted: readonly string[]): string[][] {
  const parts = new Map<string, string[]>();
  for (const name of sorted) {
    const letter = name.charAt(start.length);
    const part = parts.get(letter);
    if (part === undefined) parts.set(letter, [name]);
    else part.push(name);
  }
  return [...parts.values()];
}
