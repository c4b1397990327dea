import { plateOfFolded } from '../../graph/group.ts';
import { foldPlate } from '../../live/arrangement.ts';
import { changeView, viewStore } from '../../view/view-store.ts';

/** A card was clicked: it is selected, or let go if it was; a folded namespace opens. Null lets go of what is selected. */
export function chooseCard(key: string | null): void {
  const plate = key === null ? undefined : plateOfFolded(key);
  if (plate !== undefined) foldPlate(plate, false);
  else changeView({ select: key === viewStore.get().view.select ? null : key });
}
