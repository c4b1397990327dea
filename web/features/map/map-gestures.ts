import cytoscape, { type Core } from 'cytoscape';
import { MapViewport } from './map-viewport.ts';

/**
 * Cytoscape for the pointer: pan and zoom with all their gestures, taps and drags. Cards are no nodes of it, as it would look
 * at each of them for every move; what is seen is painted on canvases of our own (see the decision record on drawing). It is
 * loaded behind the first map: that is drawn before anything can be pointed at.
 */
export class MapGestures {
  readonly cy: Core;

  /** Hears the pointer wherever the frame is. `moved`: a person moved the map. */
  constructor(frame: HTMLElement, viewport: MapViewport, moved: () => void) {
    const container = document.createElement('div');
    container.dataset.part = 'gestures';
    // Its canvases are empty; shown, each would be put together with the others for every frame of a move.
    container.className = 'absolute inset-0 [&_canvas]:hidden';
    frame.append(container);
    const cy = cytoscape({
      container,
      minZoom: MapViewport.zooms.least,
      maxZoom: MapViewport.zooms.most,
      boxSelectionEnabled: false,
      layout: { name: 'preset', fit: false },
      // There is nothing to be seen on it.
      pixelRatio: 0.1,
    });
    this.cy = cy;
    const follow = () => {
      const { zoom, pan } = viewport.camera;
      const { x, y } = cy.pan();
      if (zoom !== cy.zoom() || pan.x !== x || pan.y !== y) cy.viewport({ zoom, pan: { ...pan } });
    };
    follow();
    viewport.follow(follow);
    cy.on('pan zoom', () => viewport.show({ zoom: cy.zoom(), pan: cy.pan() }));
    cy.on('dragpan scrollzoom pinchzoom', moved);
  }

  /** While a card is dragged, the map is not. */
  set pans(enabled: boolean) {
    this.cy.userPanningEnabled(enabled);
  }

  set cursor(cursor: '' | 'pointer') {
    this.cy.container()!.style.cursor = cursor;
  }

  end(): void {
    this.cy.destroy();
  }
}
