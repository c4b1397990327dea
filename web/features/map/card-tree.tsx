import { type RefObject, useMemo, useState } from 'react';
import type { SceneCard, SceneEdge, ScenePlate } from '../../graph/scene.ts';
import { foldPlate } from '../../live/arrangement.ts';
import type { MapState } from '../../live/map-client.ts';
import { CardItem } from './card-item.tsx';
import { chooseCard } from './choose-card.ts';
import { moveFocus } from './tree-focus.ts';
import { useLabels } from './use-labels.ts';

/**
 * The map once more, as a tree of namespaces, cards and arrows: for keyboard, screen readers and magnifiers. Each card lies
 * exactly over its picture (the frame is moved with the map); pointers go through to the canvas.
 */
export function CardTree(props: {
  state: MapState;
  selected: string | null;
  frame: RefObject<HTMLDivElement | null>;
  /** A card's key or a plate's id. */
  onFocus(key: string | null): void;
}) {
  const { state, selected, onFocus } = props;
  const labels = useLabels(state);
  const [current, setCurrent] = useState<string | null>(null);
  const { outgoing, loose, onPlate } = useMemo(() => arrangeItems(state), [state]);
  const known = new Set([...state.scene.plates.map(({ id }) => id), ...state.scene.cards.map(({ key }) => key)]);
  const reachable = current !== null && known.has(current) ? current : (loose[0]?.key ?? state.scene.plates[0]?.id);
  const focus = (key: string) => {
    setCurrent(key);
    onFocus(key);
  };
  const item = (card: SceneCard) => (
    <CardItem
      key={card.key}
      card={card}
      label={labels.card(card)}
      edges={outgoing.get(card.key) ?? []}
      edgeWords={labels.edge}
      selected={card.key === selected}
      reachable={card.key === reachable}
      onFocus={() => focus(card.key)}
      onSelect={() => chooseCard(card.key)}
    />
  );
  return (
    <div
      ref={props.frame}
      role="tree"
      aria-label="Service map"
      className="pointer-events-none absolute top-0 left-0 size-0 origin-top-left"
      onBlur={() => onFocus(null)}
      onKeyDown={(event) => {
        const target = (event.target as HTMLElement).closest<HTMLElement>('[role=treeitem]');
        if (target === null) return;
        const { card, plate } = target.dataset;
        if (event.key === 'Enter' || event.key === ' ') {
          if (card !== undefined) chooseCard(card);
          else if (plate !== undefined) foldPlate(plate, true);
        } else if (!moveFocus(event.currentTarget, target, event.key)) return;
        event.preventDefault();
      }}
    >
      {loose.map(item)}
      {state.scene.plates.map((plate) => (
        <PlateItem key={plate.id} plate={plate} reachable={plate.id === reachable} onFocus={() => focus(plate.id)}>
          {(onPlate.get(plate.id) ?? []).map(item)}
        </PlateItem>
      ))}
    </div>
  );
}

function PlateItem(props: { plate: ScenePlate; reachable: boolean; onFocus(): void; children: React.ReactNode }) {
  const { plate } = props;
  return (
    <div
      role="treeitem"
      aria-label={`${plate.title}, namespace, ${plate.facts}`}
      aria-expanded={true}
      aria-selected={false}
      data-plate={plate.id}
      tabIndex={props.reachable ? 0 : -1}
      onFocus={(event) => {
        event.stopPropagation();
        if (event.target === event.currentTarget) props.onFocus();
      }}
      className="outline-none"
    >
      {/* biome-ignore lint/a11y/useSemanticElements: the pattern for a tree */}
      <div role="group">{props.children}</div>
    </div>
  );
}

/** Cards in reading order: from left to right, then downwards; those on plates by plate. */
function arrangeItems({ scene }: MapState) {
  const outgoing = new Map<string, SceneEdge[]>();
  for (const edge of scene.edges) append(outgoing, edge.source, edge);
  const loose: SceneCard[] = [];
  const onPlate = new Map<string, SceneCard[]>();
  for (const card of scene.cards.toSorted((a, b) => a.x - b.x || a.y - b.y)) {
    if (card.plate === '') loose.push(card);
    else append(onPlate, card.plate, card);
  }
  return { outgoing, loose, onPlate };
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
