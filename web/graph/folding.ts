import { bundlesOf } from './bundles.ts';
import { type PlateKind, plateOf } from './plates.ts';
import type { VisibleGraph } from './visible.ts';

/** What a person folded and unfolded, by plate or bundle. */
export interface FoldChoice {
  readonly folded: ReadonlySet<string>;
  readonly unfolded: ReadonlySet<string>;
}

/** With more cards than this a map cannot be read at once: plates are folded up until someone opens them. */
const FOLD_ABOVE = 120;
/** Folding ends with fewer cards than this, so that a map near the limit does not flap. */
const UNFOLD_BELOW = 90;

/** Decides which plates are folded, and with very many of them which are one bundle. Remembers whether the map is a large one. */
export class Folding {
  #large = false;
  #crowded = false;

  decide(graph: Pick<VisibleGraph, 'cards'>, by: PlateKind, choice: FoldChoice): ReadonlySet<string> {
    const plates = new Set(graph.cards.map((card) => plateOf(card, by).id).filter((plate) => plate !== ''));
    this.#large = plates.size > 1 && graph.cards.length > (this.#large ? UNFOLD_BELOW : FOLD_ABOVE);
    this.#crowded = this.#large && plates.size > (this.#crowded ? UNFOLD_BELOW : FOLD_ABOVE);
    if (!this.#large) return choice.folded;
    const foldable = this.#crowded ? [...plates, ...bundlesOf(plates)] : [...plates];
    return new Set(foldable.filter((each) => choice.folded.has(each) || !choice.unfolded.has(each)));
  }
}
