/** How well a text answers what was typed: greater is better; undefined = not at all. Linear in the text. */
export function matchScore(text: string, typed: string): number | undefined {
  const wanted = typed.trim().toLowerCase();
  if (wanted === '') return 0;
  const has = text.toLowerCase();
  const at = has.indexOf(wanted);
  if (at === 0) return 3 - text.length / 10_000;
  if (at > 0) return (/[^a-z0-9]/.test(has[at - 1]!) ? 2 : 1) - text.length / 10_000;
  return inOrder(has, wanted) ? -text.length / 10_000 : undefined;
}

/** Whether the words typed each begin a word of the text, or all letters come in their order: `sft` finds "Show flow table". */
function inOrder(text: string, wanted: string): boolean {
  const words = text.split(/[^a-z0-9]+/);
  if (wanted.split(/\s+/).every((part) => words.some((word) => word.startsWith(part)))) return true;
  let next = 0;
  for (const letter of text) if (letter === wanted[next]) next++;
  return next === wanted.length;
}

/** The best answers first; those that answer equally well keep their order. */
export function bestMatches<T>(items: readonly T[], typed: string, text: (item: T) => string, most: number): T[] {
  return items
    .map((item) => ({ item, score: matchScore(text(item), typed) }))
    .filter((each): each is { item: T; score: number } => each.score !== undefined)
    .toSorted((a, b) => b.score - a.score)
    .slice(0, most)
    .map(({ item }) => item);
}
