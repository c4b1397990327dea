import { COLUMN_PITCH, GRID } from '../../graph/geometry.ts';
import { plateOfFolded } from '../../graph/group.ts';
import { pinCards, unpinCard } from '../../live/arrangement.ts';
import { sceneStore } from '../../live/map-client.ts';
import { changeView, viewStore } from '../../view/view-store.ts';
import { columnOf } from './card-drag.ts';
import type { TreeTarget } from './card-tree.tsx';
import { focusCard, leaveFocus } from './choose-card.ts';
import type { MapCanvas } from './map-canvas.ts';

const PAN = 80;
/** Map units a card moves per press; sideways it is a column. */
const STEP = 5 * GRID;

const DIRECTIONS: Record<string, readonly [x: number, y: number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

/** Keys of the map beside those of its tree. Returns whether the key is one. */
export function mapKey(
  event: Pick<KeyboardEvent, 'key' | 'altKey' | 'shiftKey' | 'ctrlKey' | 'metaKey'>,
  target: TreeTarget | null,
  canvas: MapCanvas | null,
): boolean {
  if (event.ctrlKey || event.metaKey) return false;
  const direction = DIRECTIONS[event.key];
  if (direction !== undefined) {
    const [x, y] = direction;
    if (event.shiftKey) canvas?.panBy(-x * PAN, -y * PAN);
    else if (event.altKey && target?.kind === 'card') moveCard(target.key, x, y);
    else return false;
    return true;
  }
  if (event.altKey) return false;
  switch (event.key) {
    case '+':
    case '=':
      canvas?.zoomBy(1.25);
      return true;
    case '-':
      canvas?.zoomBy(1 / 1.25);
      return true;
    case '0':
      canvas?.fit();
      return true;
    case 'f':
      if (target?.kind === 'card') focusCard(target.key);
      return target?.kind === 'card';
    case 'p':
      if (target?.kind === 'card') togglePin(target.key);
      return target?.kind === 'card';
    case 'Escape':
      return stepBack();
    default:
      return false;
  }
}

/** Lets go of the selection, then of the focus. Returns whether there was any. */
function stepBack(): boolean {
  const { select, map } = viewStore.get().view;
  if (select !== null) changeView({ select: null });
  else if (map.focus !== null) leaveFocus();
  else return false;
  return true;
}

function moveCard(key: string, x: number, y: number): void {
  const card = sceneStore.get()?.scene.cards.find((each) => each.key === key);
  if (card !== undefined) pinCards({ [key]: [columnOf(card.x + x * COLUMN_PITCH), card.y + y * STEP] });
}

/** Keeps a card where it stands, or lets it go again. */
export function togglePin(key: string): void {
  const card = sceneStore.get()?.scene.cards.find((each) => each.key === key);
  if (card === undefined || plateOfFolded(key) !== undefined) return;
  if (card.pinned) unpinCard(key);
  else pinCards({ [key]: [columnOf(card.x), card.y] });
}
