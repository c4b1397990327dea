import { type PlateKind, plateOf } from './plates.ts';
import type { VisibleGraph } from './visible.ts';

/** What a person folded and unfolded, by plate. */
export interface FoldChoice {
  readonly folded: ReadonlySet<string>;
  readonly unfolded: ReadonlySet<string>;
}

/** With more cards than this a map cannot be read at once: plates are folded up until someone opens them. */
const FOLD_ABOVE = 120;
/** Folding ends with fewer cards than this, so that a map near the limit does not flap. */
const UNFOLD_BELOW = 90;

/** Decides which plates are folded. Remembers whether the map is a large one. */
export class Folding {
  #large = false;

  decide(graph: Pick<VisibleGraph, 'cards'>, by: PlateKind, choice: FoldChoice): ReadonlySet<string> {
    const plates = new Set(graph.cards.map((card) => plateOf(card, by).id).filter((plate) => plate !== ''));
    this.#large = plates.size > 1 && graph.cards.length > (this.#large ? UNFOLD_BELOW : FOLD_ABOVE);
    if (!this.#large) return choice.folded;
    return new Set([...plates].filter((plate) => choice.folded.has(plate) || !choice.unfolded.has(plate)));
  }
}
