import { cardHeight, type Rect, ROW_GAP, snap } from './geometry.ts';
import { foldedKey, type GroupedCard, type GroupedGraph } from './group.ts';
import { type Block, blockRect, blocksOf, type Layout, type Standing } from './layout.ts';

/** Cards whose places are remembered when they have gone. */
const MOST = 5_000;

/** Where cards stood before they went: what was folded up opens where it was, and what comes back finds its place. */
export class Stood {
  readonly #places = new Map<string, Standing>();

  /** Takes note of what stood before and does no longer. */
  note(before: Layout, after: Layout): void {
    for (const [key, at] of before) {
      if (after.has(key)) continue;
      this.#places.delete(key);
      this.#places.set(key, at);
    }
    for (const key of this.#places.keys()) {
      if (this.#places.size <= MOST) break;
      this.#places.delete(key);
    }
  }

  /** Those of the cards that are not there yet and have a place: where the newcomers stood, or what they stand for or stood in. */
  placesFor(graph: Pick<GroupedGraph, 'cards' | 'edges'>, before: Layout): Map<string, Standing> {
    const places = new Map<string, Standing>();
    const blocks = blocksOf(graph);
    const blockOf = new Map(blocks.flatMap((block) => block.cards.map((key) => [key, block] as const)));
    for (const card of graph.cards) {
      if (before.has(card.key)) continue;
      const height = cardHeight(card.doors.length);
      const at = card.folded > 1 ? middleOf(card, before) : this.#placeOf(card, blockOf.get(card.key)!, blocks, before);
      if (at !== undefined) places.set(card.key, { ...at, height });
    }
    return places;
  }

  #placeOf(card: GroupedCard, own: Block, blocks: readonly Block[], before: Layout): Standing | undefined {
    const at = this.#places.get(card.key);
    // What opens takes its room; what comes back takes it if nobody else has.
    if (at === undefined || before.has(foldedKey(card.plate))) return at;
    const rectOf = ({ id, isPlate, cards }: Block, layout: Layout, more: readonly string[] = []) => {
      const standing = cards.filter((key) => before.has(key));
      return blockRect({ id, isPlate, cards: [...standing, ...more] }, layout);
    };
    const grown = rectOf(own, new Map([...before, [card.key, at]]), [card.key]);
    const isTaken =
      own.cards.some((key) => before.has(key) && isNear(before.get(key)!, at)) ||
      blocks.some(
        (other) => other !== own && other.cards.some((key) => before.has(key)) && meet(rectOf(other, before), grown),
      );
    return isTaken ? undefined : at;
  }
}

/** The middle of the room that those took that a folded card stands for. */
function middleOf({ members }: GroupedCard, before: Layout): Pick<Standing, 'column' | 'y'> | undefined {
  const places = members.flatMap(({ key }) => before.get(key) ?? []);
  if (places.length === 0) return undefined;
  const columns = places.map(({ column }) => column);
  const [top, bottom] = [Math.min(...places.map(({ y }) => y)), Math.max(...places.map(({ y, height }) => y + height))];
  return {
    column: Math.floor((Math.min(...columns) + Math.max(...columns)) / 2),
    y: snap((top + bottom) / 2 - cardHeight(0) / 2),
  };
}

function isNear(one: Standing, other: Standing): boolean {
  if (one.column !== other.column) return false;
  return one.y < other.y + other.height + ROW_GAP / 2 && other.y < one.y + one.height + ROW_GAP / 2;
}

function meet(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
