/**
 * A browser opens six connections to one place, for all tabs together. Tabs with the same view share a stream; of different
 * views no more than this many have one at a time, which leaves two connections for everything else.
 */
export const MOST_STREAMS = 4;

/** Which views are to have a stream: those somebody sees, then others, the latest opened first. */
export function awakeKeys(views: ReadonlyMap<string, { readonly visible: boolean }>): Set<string> {
  const latestFirst = [...views].reverse();
  const seen = latestFirst.filter(([, { visible }]) => visible);
  const unseen = latestFirst.filter(([, { visible }]) => !visible);
  return new Set([...seen, ...unseen].slice(0, MOST_STREAMS).map(([key]) => key));
}
