import { bundlesOf } from './bundles.ts';
import { type PlateKind, plateOf } from './plates.ts';
import type { VisibleGraph } from './visible.ts';

/** What a person folded and unfolded, by plate or bundle. */
export interface FoldChoice {
  readonly folded: ReadonlySet<string>;
  readonly unfolded: ReadonlySet<string>;
}

/** With more cards than this a map cannot be read at once, however large: plates are folded up until someone opens them. */
const FOLD_ABOVE = 120;
/** Folding ends with fewer cards than this share, so that a map near the limit does not flap. */
const UNFOLD_SHARE = 0.75;

/** Decides which plates are folded, and with very many of them which are one bundle. Remembers whether the map is a large one. */
export class Folding {
  #large = false;
  #crowded = false;

  /** `most` cards can be read in the room there is; at most FOLD_ABOVE. */
  decide(
    graph: Pick<VisibleGraph, 'cards'>,
    by: PlateKind,
    choice: FoldChoice,
    most: number = FOLD_ABOVE,
  ): ReadonlySet<string> {
    const above = (count: number, limit: number, was: boolean) => count > (was ? limit * UNFOLD_SHARE : limit);
    const plates = new Set(graph.cards.map((card) => plateOf(card, by).id).filter((plate) => plate !== ''));
    this.#large = plates.size > 1 && above(graph.cards.length, Math.min(most, FOLD_ABOVE), this.#large);
    this.#crowded = this.#large && above(plates.size, FOLD_ABOVE, this.#crowded);
    if (!this.#large) return choice.folded;
    const foldable = this.#crowded ? [...plates, ...bundlesOf(plates)] : [...plates];
    return new Set(foldable.filter((each) => choice.folded.has(each) || !choice.unfolded.has(each)));
  }
}
