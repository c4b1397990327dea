import { memo, type RefObject, useMemo, useState } from 'react';
import type { SceneCard, SceneEdge, ScenePlate } from '../../graph/scene.ts';
import type { MapState } from '../../live/map-client.ts';
import { CardItem, type EdgeItem } from './card-item.tsx';
import { moveFocus } from './tree-focus.ts';
import { useLabels } from './use-labels.ts';
import { useUnhurried } from './use-unhurried.ts';

/** Up to this many arrows all of them are in the document; beyond, those of the card in focus. */
const MANY_EDGES = 250;
const NO_EDGES: readonly EdgeItem[] = [];
const NO_CARDS: readonly SceneCard[] = [];

/** What an item of the tree stands for. */
export type TreeTarget =
  | { readonly kind: 'card'; readonly key: string }
  | { readonly kind: 'plate'; readonly key: string }
  | { readonly kind: 'edge'; readonly key: string };

/**
 * The map once more, as a tree of plates, cards and arrows: for keyboard, screen readers and magnifiers. Each card lies
 * exactly over its picture (the frame is moved with the map); pointers go through to the canvas.
 */
export function CardTree(props: {
  state: MapState;
  selected: string | null;
  frame: RefObject<HTMLDivElement | null>;
  onFocus(target: TreeTarget | null): void;
  /** Enter, Space, or a click by an assistive tool. */
  onChoose(target: TreeTarget): void;
  /** Any other key. Returns whether it meant something. */
  onKey(event: React.KeyboardEvent, target: TreeTarget): boolean;
}) {
  const { selected } = props;
  const state = useUnhurried(props.state);
  const labels = useLabels(state);
  const [current, setCurrent] = useState<string | null>(null);
  const { outgoing, loose, onPlate, plateOf } = useMemo(() => arrangeItems(state), [state]);
  const known = useMemo(
    () => new Set([...state.scene.plates.map(({ id }) => id), ...state.scene.cards.map(({ key }) => key)]),
    [state],
  );
  const reachable = current !== null && known.has(current) ? current : (loose[0]?.key ?? state.scene.plates[0]?.id);
  const tellsAll = state.scene.edges.length <= MANY_EDGES;
  /** What a key is to the cards of a plate: nothing, where it is none of them. */
  const on = (plate: string, key: string | null | undefined) =>
    key != null && plateOf.get(key) === plate ? key : null;
  const cardsOf = (plate: string, cards: readonly SceneCard[]) => (
    <Cards
      cards={cards}
      outgoing={outgoing}
      labels={labels}
      tellsAll={tellsAll}
      current={on(plate, current)}
      reachable={on(plate, reachable)}
      selected={on(plate, selected)}
    />
  );
  return (
    <div
      ref={props.frame}
      role="tree"
      aria-label="Service map"
      aria-description="Arrow keys go through cards and arrows. Enter: details. F: focus on the neighbourhood. P: pin. Alt with arrow keys: move the card. Shift with arrow keys: pan. Plus, minus, 0: zoom, fit."
      // Nothing of it is to be seen, and its clip says so: else each move of the map would look at every card for what it covers.
      className="pointer-events-none absolute top-0 left-0 size-0 origin-top-left [clip-path:inset(0)]"
      onFocus={(event) => {
        const target = targetOf(event.target);
        if (target === undefined) return;
        // An arrow belongs to its card: that one stays reachable.
        const card = event.target.parentElement?.closest<HTMLElement>('[data-card]')?.dataset.card;
        setCurrent(target.kind === 'edge' ? (card ?? null) : target.key);
        props.onFocus(target);
      }}
      onBlur={() => props.onFocus(null)}
      onClick={(event) => {
        const target = targetOf(event.target as HTMLElement);
        if (target !== undefined) props.onChoose(target);
      }}
      onKeyDown={(event) => {
        const element = (event.target as HTMLElement).closest<HTMLElement>('[role=treeitem]');
        const target = targetOf(element);
        if (element === null || target === undefined) return;
        if (props.onKey(event, target)) event.preventDefault();
        else if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
        else if (event.key === 'Enter' || event.key === ' ') {
          props.onChoose(target);
          event.preventDefault();
        } else if (moveFocus(event.currentTarget, element, event.key)) event.preventDefault();
      }}
    >
      {cardsOf('', loose)}
      {state.scene.plates.map((plate) => (
        <PlateItem key={plate.id} plate={plate} reachable={plate.id === reachable}>
          {cardsOf(plate.id, onPlate.get(plate.id) ?? NO_CARDS)}
        </PlateItem>
      ))}
    </div>
  );
}

/** The cards of one plate: of a thousand cards, only those are looked at that what a person did is about. */
const Cards = memo(function Cards(props: {
  cards: readonly SceneCard[];
  outgoing: ReadonlyMap<string, readonly SceneEdge[]>;
  labels: ReturnType<typeof useLabels>;
  tellsAll: boolean;
  /** Keys, where it is one of these cards. */
  current: string | null;
  reachable: string | null;
  selected: string | null;
}) {
  const { outgoing, labels, tellsAll, current } = props;
  return props.cards.map((card) => {
    const edges = outgoing.get(card.key) ?? [];
    const told =
      tellsAll || card.key === current ? edges.map((edge) => ({ edge, words: labels.edge(edge) })) : NO_EDGES;
    return (
      <CardItem
        key={card.key}
        card={card}
        live={labels.numbers(card.key)}
        edges={told}
        hasEdges={edges.length > 0}
        selected={card.key === props.selected}
        reachable={card.key === props.reachable}
      />
    );
  });
});

function PlateItem(props: { plate: ScenePlate; reachable: boolean; children: React.ReactNode }) {
  const { plate } = props;
  return (
    <div
      role="treeitem"
      aria-label={`${plate.title}, ${plate.kind}, ${plate.facts}`}
      aria-expanded={true}
      aria-selected={false}
      data-plate={plate.id}
      tabIndex={props.reachable ? 0 : -1}
      className="outline-none"
    >
      {/* biome-ignore lint/a11y/useSemanticElements: the pattern for a tree */}
      <div role="group">{props.children}</div>
    </div>
  );
}

function targetOf(element: Element | null): TreeTarget | undefined {
  const { card, plate, edge } = element?.closest<HTMLElement>('[role=treeitem]')?.dataset ?? {};
  if (card !== undefined) return { kind: 'card', key: card };
  if (edge !== undefined) return { kind: 'edge', key: edge };
  return plate === undefined ? undefined : { kind: 'plate', key: plate };
}

/** Cards in reading order: from left to right, then downwards; those on plates by plate. */
function arrangeItems({ scene }: MapState) {
  const outgoing = new Map<string, SceneEdge[]>();
  for (const edge of scene.edges) append(outgoing, edge.source, edge);
  const loose: SceneCard[] = [];
  const onPlate = new Map<string, SceneCard[]>();
  const plateOf = new Map<string, string>();
  for (const card of scene.cards.toSorted((a, b) => a.x - b.x || a.y - b.y)) {
    plateOf.set(card.key, card.plate);
    if (card.plate === '') loose.push(card);
    else append(onPlate, card.plate, card);
  }
  return { outgoing, loose, onPlate, plateOf };
}

function append<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}
