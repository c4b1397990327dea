import type { SceneCard, SceneEdge } from '../../graph/scene.ts';

/** A card in the tree, with the arrows that leave it. */
export function CardItem(props: {
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
      aria-expanded={card.folded ? false : edges.length > 0 ? true : undefined}
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
