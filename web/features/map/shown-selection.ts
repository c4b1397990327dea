import { standsFor } from '../../graph/bundles.ts';
import type { Details } from '../../graph/details.ts';
import { plateOfFolded } from '../../graph/group.ts';
import { type PlateKind, plateOf } from '../../graph/plates.ts';
import type { SceneCard } from '../../graph/scene.ts';

/**
 * Key of what is marked on the map for what is selected: itself, or the folded plate or bundle that it is in. An arrow is marked as it is:
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
  const { cards } = state.scene;
  const plate = plateOf(details.card, by).id;
  if (details.card.key !== select || plate === '' || cards.some(({ key }) => key === select)) return select;
  const whole = cards.find(({ key }) => {
    const folded = plateOfFolded(key);
    return folded !== undefined && standsFor(folded, plate);
  });
  return whole?.key ?? select;
}
