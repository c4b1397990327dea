import type { Details } from '../../graph/details.ts';
import { foldedKey } from '../../graph/group.ts';
import { type PlateKind, plateOf } from '../../graph/plates.ts';
import type { SceneCard } from '../../graph/scene.ts';

/**
 * Key of what is marked on the map for what is selected: itself, or the folded plate that it is in. An arrow is marked as it is:
 * its ends are drawn where it was chosen.
 */
export function shownSelection(
  select: string | null,
  state: { readonly scene: { readonly cards: readonly Pick<SceneCard, 'key'>[] } } | null,
  details: Details | 'gone' | null,
  by: PlateKind,
): string | null {
  if (select === null || state === null || details === null || details === 'gone' || details.kind !== 'card') {
    return select;
  }
  const isDrawn = (key: string) => state.scene.cards.some((card) => card.key === key);
  const plate = plateOf(details.card, by).id;
  const folded = foldedKey(plate);
  return details.card.key === select && plate !== '' && !isDrawn(select) && isDrawn(folded) ? folded : select;
}
