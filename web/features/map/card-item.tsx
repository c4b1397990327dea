import { memo } from 'react';
import type { CardLive } from '../../graph/live.ts';
import type { SceneCard, SceneEdge } from '../../graph/scene.ts';
import { cardLabel } from './card-label.ts';

/** An arrow as the tree tells it. */
export interface EdgeItem {
  readonly edge: SceneEdge;
  readonly words: string;
}

interface CardItemProps {
  readonly card: SceneCard;
  /** The numbers it is told with. */
  readonly live: CardLive | undefined;
  /** Arrows that leave it, as far as they are told now. */
  readonly edges: readonly EdgeItem[];
  /** Whether there are any, told or not. */
  readonly hasEdges: boolean;
  readonly selected: boolean;
  readonly reachable: boolean;
}

/** A card in the tree, with the arrows that leave it. The tree handles focus, clicks and keys. */
export const CardItem = memo(function CardItem(props: CardItemProps) {
  const { card, edges } = props;
  return (
    <div
      role="treeitem"
      aria-label={cardLabel(card, props.live)}
      aria-selected={props.selected}
      aria-expanded={card.folded ? false : props.hasEdges ? true : undefined}
      data-card={card.key}
      tabIndex={props.reachable ? 0 : -1}
      className="absolute outline-none"
      style={{ left: card.x, top: card.y, width: card.width, height: card.height }}
    >
      {edges.length > 0 && (
        // biome-ignore lint/a11y/useSemanticElements: the pattern for a tree
        <div role="group">
          {edges.map(({ edge, words }) => (
            <div
              key={edge.key}
              role="treeitem"
              aria-label={words}
              aria-selected={false}
              data-edge={edge.key}
              tabIndex={-1}
              className="sr-only"
            />
          ))}
        </div>
      )}
    </div>
  );
}, isSame);

function isSame(before: CardItemProps, after: CardItemProps): boolean {
  return (
    // What a scene does not change stays the same object.
    before.card === after.card &&
    before.live === after.live &&
    before.selected === after.selected &&
    before.reachable === after.reachable &&
    before.hasEdges === after.hasEdges &&
    before.edges.length === after.edges.length &&
    before.edges.every(({ edge, words }, at) => edge === after.edges[at].edge && words === after.edges[at].words)
  );
}
