/**
 * `select=` names a card by its key, or an arrow by the keys of its two cards: `source>destination`. The sign cannot occur in
 * a card's key.
 */
const SIGN = '>';

export interface Pair {
  readonly source: string;
  readonly destination: string;
}

export function pairKey({ source, destination }: Pair): string {
  return `${source}${SIGN}${destination}`;
}

/** Undefined for the key of a card. */
export function parsePair(key: string): Pair | undefined {
  const at = key.indexOf(SIGN);
  return at <= 0 || at === key.length - 1 ? undefined : { source: key.slice(0, at), destination: key.slice(at + 1) };
}
