import { type RefObject, useEffect, useMemo, useRef, useState } from 'react';
import type { SceneCard, SceneEdge } from '../../graph/scene.ts';
import { liveStore, type MapState } from '../../live/map-client.ts';
import { changeView } from '../../view/view-store.ts';
import { cardLabel, edgeLabel } from './card-label.ts';

/** Labels follow the numbers at most this often: a screen reader has no use for more. */
const LABEL_INTERVAL_MS = 1_000;

/**
 * The map once more, as a tree of cards and their arrows: for keyboard, screen readers and magnifiers. Each card lies
 * exactly over its picture (the frame is moved with the map); pointers go through to the canvas.
 */
export function CardTree(props: {
  state: MapState;
  selected: string | null;
  frame: RefObject<HTMLDivElement | null>;
  onFocus(key: string | null): void;
}) {
  const { state, selected, onFocus } = props;
  const labels = useLabels(state);
  const [current, setCurrent] = useState<string | null>(null);
  const outgoing = useMemo(() => {
    const bySource = new Map<string, SceneEdge[]>();
    for (const edge of state.scene.edges) {
      const list = bySource.get(edge.source);
      if (list === undefined) bySource.set(edge.source, [edge]);
      else list.push(edge);
    }
    return bySource;
  }, [state]);
  const cards = useMemo(
    () =>
      state.scene.cards.toSorted((a, b) => (a.plate < b.plate ? -1 : a.plate > b.plate ? 1 : a.x - b.x || a.y - b.y)),
    [state],
  );
  const reachable = current !== null && cards.some(({ key }) => key === current) ? current : (cards[0]?.key ?? null);
  const select = (key: string) => changeView({ select: selected === key ? null : key });
  return (
    <div
      ref={props.frame}
      role="tree"
      aria-label="Service map"
      className="pointer-events-none absolute top-0 left-0 size-0 origin-top-left"
      onBlur={() => onFocus(null)}
      onKeyDown={(event) => {
        const item = (event.target as HTMLElement).closest<HTMLElement>('[role=treeitem]');
        if (item === null) return;
        const key = item.dataset.card!;
        if (event.key === 'Enter' || event.key === ' ') select(key);
        else if (!moveFocus(event.currentTarget, item, event.key)) return;
        event.preventDefault();
      }}
    >
      {cards.map((card) => (
        <CardItem
          key={card.key}
          card={card}
          label={labels.card(card)}
          edges={outgoing.get(card.key) ?? []}
          edgeWords={labels.edge}
          selected={card.key === selected}
          reachable={card.key === reachable}
          onFocus={() => {
            setCurrent(card.key);
            onFocus(card.key);
          }}
          onSelect={() => select(card.key)}
        />
      ))}
    </div>
  );
}

function CardItem(props: {
  card: SceneCard;
  label: string;
  edges: readonly SceneEdge[];
  edgeWords(edge: SceneEdge): string;
  selected: boolean;
  reachable: boolean;
  onFocus(): void;
  onSelect(): void;
}) {
  const { card, edges } = props;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree handles keys
    <div
      role="treeitem"
      aria-label={props.label}
      aria-selected={props.selected}
      aria-expanded={edges.length > 0 ? true : undefined}
      data-card={card.key}
      tabIndex={props.reachable ? 0 : -1}
      onFocus={(event) => {
        event.stopPropagation();
        props.onFocus();
      }}
      onClick={(event) => {
        event.stopPropagation();
        props.onSelect();
      }}
      className="absolute outline-none"
      style={{ left: card.x, top: card.y, width: card.width, height: card.height }}
    >
      {edges.length > 0 && (
        // biome-ignore lint/a11y/useSemanticElements: the pattern for a tree
        <div role="group">
          {edges.map((edge) => (
            <div
              key={edge.key}
              role="treeitem"
              aria-label={props.edgeWords(edge)}
              aria-selected={false}
              data-card={edge.destination}
              tabIndex={-1}
              className="sr-only"
            />
          ))}
        </div>
      )}
    </div>
  );
}

/** Up and down: through all items. Right: into a card's arrows. Left: back to the card. */
function moveFocus(tree: HTMLElement, item: HTMLElement, key: string): boolean {
  const items = [...tree.querySelectorAll<HTMLElement>('[role=treeitem]')];
  const cards = items.filter((each) => each.parentElement === tree);
  const isCard = item.parentElement === tree;
  const among = isCard ? cards : items.filter((each) => each.parentElement === item.parentElement);
  const at = among.indexOf(item);
  const next =
    key === 'ArrowDown'
      ? among[at + 1]
      : key === 'ArrowUp'
        ? among[at - 1]
        : key === 'Home'
          ? cards[0]
          : key === 'End'
            ? cards.at(-1)
            : key === 'ArrowRight' && isCard
              ? item.querySelector<HTMLElement>('[role=treeitem]')
              : key === 'ArrowLeft' && !isCard
                ? item.parentElement!.closest<HTMLElement>('[role=treeitem]')
                : undefined;
  if (next === undefined) return /^(Arrow(Up|Down|Left|Right)|Home|End)$/.test(key);
  next?.focus();
  return true;
}

function useLabels(state: MapState) {
  const [moment, setMoment] = useState(0);
  const pending = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    const unsubscribe = liveStore.subscribe(() => {
      pending.current ??= setTimeout(() => {
        pending.current = undefined;
        setMoment((before) => before + 1);
      }, LABEL_INTERVAL_MS);
    });
    return () => {
      unsubscribe();
      clearTimeout(pending.current);
      pending.current = undefined;
    };
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: numbers change in place; the moment says that they did
  return useMemo(
    () => ({
      card: (card: SceneCard) => cardLabel(card, state.cards.get(card.key)),
      edge: (edge: SceneEdge) => edgeLabel(edge, state.edges.get(edge.key)),
    }),
    [state, moment],
  );
}
