import { plateOfFolded } from '../../graph/group.ts';
import { foldPlate } from '../../live/arrangement.ts';
import { MOST_HOPS } from '../../view/map-options.ts';
import { changeMapOptions, changeView, viewStore } from '../../view/view-store.ts';

/**
 * A card or an arrow was clicked: it is selected, or let go if it was; what is folded opens. Null lets go of what is selected.
 */
export function chooseCard(key: string | null): void {
  const plate = key === null ? undefined : plateOfFolded(key);
  if (plate !== undefined) foldPlate(plate, false);
  else changeView({ select: key === viewStore.get().view.select ? null : key });
}

/** Shows only a card's neighbourhood. The browser's "back" returns. */
export function focusCard(key: string): void {
  if (plateOfFolded(key) !== undefined) return;
  const { view } = viewStore.get();
  if (view.map.focus === key) return;
  changeView({ select: key, map: { ...view.map, focus: key } });
}

export function leaveFocus(): void {
  changeMapOptions({ focus: null, hops: 1 });
}

export function changeHops(by: number): void {
  const { hops } = viewStore.get().view.map;
  changeMapOptions({ hops: Math.min(MOST_HOPS, Math.max(1, hops + by)) }, 'replace');
}
