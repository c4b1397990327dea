import cytoscape, { type Core, type EventObject, type NodeSingular } from 'cytoscape';
import type { SceneCard } from '../../graph/scene.ts';

/**
 * The cards as Cytoscape's nodes, unseen: it keeps pan and zoom with all their gestures, and knows which card is under the
 * pointer. What is seen is painted on canvases of our own (see the decision record on drawing).
 */
export class CardGraph {
  readonly cy: Core;
  #cards: ReadonlyMap<string, SceneCard> = new Map();

  /** It hears the pointer wherever the frame is. */
  constructor(frame: HTMLElement) {
    const container = document.createElement('div');
    // Its canvases are empty; shown, each would be put together with the others for every frame of a move.
    container.className = 'absolute inset-0 [&_canvas]:hidden';
    frame.append(container);
    this.cy = cytoscape({
      container,
      style: [
        {
          selector: 'node',
          style: {
            shape: 'rectangle',
            width: 'data(width)',
            height: 'data(height)',
            'background-opacity': 0,
            'border-width': 0,
            'overlay-opacity': 0,
            label: '',
          },
        },
      ],
      minZoom: 0.03,
      maxZoom: 2.5,
      autoungrabify: true,
      autounselectify: true,
      boxSelectionEnabled: false,
      layout: { name: 'preset' },
      textureOnViewport: true,
      // There is nothing to be seen on it.
      pixelRatio: 0.1,
    });
  }

  setCards(cards: ReadonlyMap<string, SceneCard>): void {
    this.#cards = cards;
    this.cy.batch(() => {
      this.cy
        .nodes()
        .filter((node) => !cards.has(node.id()))
        .remove();
      for (const card of cards.values()) {
        const node = this.cy.getElementById(card.key);
        if (node.empty()) {
          const { key, width, height } = card;
          this.cy.add({ group: 'nodes', data: { id: key, width, height }, position: middle(card) });
          continue;
        }
        const { x, y } = node.position();
        const at = middle(card);
        if (x !== at.x || y !== at.y) node.position(at);
        if (node.data('height') !== card.height) node.data('height', card.height);
      }
    });
  }

  /** Key of the card under the pointer. */
  cardAt(event: EventObject): string | undefined {
    const element = event.target as Core | NodeSingular;
    return element === this.cy ? undefined : (element as NodeSingular).id();
  }

  has(key: string): boolean {
    return this.#cards.has(key);
  }
}

function middle(card: SceneCard): { x: number; y: number } {
  return { x: card.x + card.width / 2, y: card.y + card.height / 2 };
}
