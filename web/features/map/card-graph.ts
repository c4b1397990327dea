import cytoscape, { type Core } from 'cytoscape';
import type { SceneCard } from '../../graph/scene.ts';
import type { Point } from './point.ts';

/**
 * Cytoscape for the pointer: it keeps pan and zoom with all their gestures. Cards are no nodes of it, as it would look at each
 * of them for every move; what is seen is painted on canvases of our own (see the decision record on drawing).
 */
export class CardGraph {
  readonly cy: Core;
  #cards: readonly SceneCard[] = [];

  /** It hears the pointer wherever the frame is. */
  constructor(frame: HTMLElement) {
    const container = document.createElement('div');
    // Its canvases are empty; shown, each would be put together with the others for every frame of a move.
    container.className = 'absolute inset-0 [&_canvas]:hidden';
    frame.append(container);
    this.cy = cytoscape({
      container,
      minZoom: 0.03,
      maxZoom: 2.5,
      boxSelectionEnabled: false,
      layout: { name: 'preset' },
      // There is nothing to be seen on it.
      pixelRatio: 0.1,
    });
  }

  setCards(cards: readonly SceneCard[]): void {
    this.#cards = cards;
  }

  /** Key of the card at this point of the map; of several the one drawn last. */
  cardAt({ x, y }: Point): string | undefined {
    return this.#cards.findLast(
      (card) => x >= card.x && y >= card.y && x <= card.x + card.width && y <= card.y + card.height,
    )?.key;
  }
}
