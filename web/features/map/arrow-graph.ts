import cytoscape, { type Core, type EdgeSingular, type EventObject, type NodeSingular } from 'cytoscape';
import type { EdgeLive } from '../../graph/live.ts';
import type { SceneCard, SceneEdge } from '../../graph/scene.ts';
import type { MapState } from '../../live/map-client.ts';
import { relativeControls } from './curve.ts';
import { mapStyle } from './edge-look.ts';
import type { Palette } from './palette.ts';

/** Arrows above which a map is dense: they step back, and are hidden while panning and zooming. */
const MANY_EDGES = 300;

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** What lies under the pointer. */
export type Target =
  | { readonly kind: 'card'; readonly key: string }
  | { readonly kind: 'edge'; readonly key: string }
  | { readonly kind: 'ground' };

/** The map's arrows: Cytoscape draws them, keeps pan and zoom, and knows what is under the pointer. Cards are its nodes, unseen. */
export class ArrowGraph {
  readonly cy: Core;
  #cards: ReadonlyMap<string, SceneCard> = new Map();
  #edges: ReadonlyMap<string, SceneEdge> = new Map();
  #palette: Palette;
  #dense = false;

  constructor(container: HTMLElement, palette: Palette) {
    this.#palette = palette;
    this.cy = cytoscape({
      container,
      style: mapStyle(palette, false),
      minZoom: 0.03,
      maxZoom: 2.5,
      autoungrabify: true,
      autounselectify: true,
      boxSelectionEnabled: false,
      layout: { name: 'preset' },
      pixelRatio: 'auto',
    });
  }

  setPalette(palette: Palette): void {
    this.#palette = palette;
    this.cy.style(mapStyle(palette, this.#dense));
  }

  setScene(
    cards: ReadonlyMap<string, SceneCard>,
    edges: ReadonlyMap<string, SceneEdge>,
    live: MapState['edges'],
  ): void {
    this.#cards = cards;
    this.#edges = edges;
    const dense = edges.size > MANY_EDGES;
    if (dense !== this.#dense) {
      this.#dense = dense;
      this.cy.style(mapStyle(this.#palette, dense));
    }
    this.cy.batch(() => {
      this.#syncNodes();
      this.#syncEdges(live);
    });
    (
      this.cy as unknown as { _private: { renderer: { hideEdgesOnViewport: boolean } } }
    )._private.renderer.hideEdgesOnViewport = dense;
  }

  setLive(live: Iterable<readonly [string, EdgeLive]>): void {
    this.cy.batch(() => {
      for (const [key, { verdict, width, quiet }] of live) {
        const edge = this.cy.getElementById(key);
        if (edge.empty()) continue;
        if (edge.data('verdict') !== verdict) edge.data('verdict', verdict);
        if (edge.data('width') !== width) edge.data('width', width);
        if (edge.data('quiet') !== quiet) edge.data('quiet', quiet);
      }
    });
  }

  /** How each arrow stands out: `near`, `aside`, `chosen`, or plain. */
  setEmphasis(of: (edge: SceneEdge) => 'near' | 'aside' | 'chosen' | undefined): void {
    this.cy.batch(() => {
      this.cy.edges().forEach((drawn) => {
        const edge = this.#edges.get(drawn.id());
        const emphasis = edge && of(edge);
        for (const name of ['near', 'aside', 'chosen']) drawn.toggleClass(name, emphasis === name);
      });
    });
  }

  /** Moves cards for the time of a drag; their arrows follow. */
  shift(keys: Iterable<string>, by: Point): void {
    this.cy.batch(() => {
      for (const key of keys) {
        const card = this.#cards.get(key);
        if (card !== undefined) this.cy.getElementById(key).position(middle(card, by));
      }
    });
  }

  target(event: EventObject): Target {
    const element = event.target as Core | NodeSingular | EdgeSingular;
    if (element === this.cy) return { kind: 'ground' };
    const single = element as NodeSingular | EdgeSingular;
    return single.isNode() ? { kind: 'card', key: single.data('card') } : { kind: 'edge', key: single.id() };
  }

  /** Draws once more, soon: Cytoscape joins requests until the next frame. */
  redraw(): void {
    (this.cy as unknown as { forceRender(): void }).forceRender();
  }

  #syncNodes(): void {
    this.cy
      .nodes()
      .filter((node) => !this.#cards.has(node.data('card')))
      .remove();
    for (const card of this.#cards.values()) {
      const position = middle(card, { x: 0, y: 0 });
      const node = this.cy.getElementById(card.key);
      if (node.empty()) {
        const { key, width, height } = card;
        this.cy.add({ group: 'nodes', data: { id: key, card: key, width, height }, position });
      } else {
        node.position(position);
        if (node.data('height') !== card.height) node.data('height', card.height);
      }
    }
  }

  #syncEdges(live: MapState['edges']): void {
    this.cy
      .edges()
      .filter((edge) => !this.#edges.has(edge.id()))
      .remove();
    // An arrow from a card to itself would be drawn as a loop of Cytoscape's own: such an arrow ends at a second, unseen node.
    this.cy.nodes('[?mirror]').remove();
    for (const edge of this.#edges.values()) {
      const data = this.#edgeData(edge);
      const drawn = this.cy.getElementById(edge.key);
      if (drawn.nonempty()) {
        drawn.data(data);
        continue;
      }
      let target = edge.destination;
      if (edge.source === edge.destination) {
        target = `mirror ${edge.key}`;
        const [x, y] = edge.route.end;
        this.cy.add({
          group: 'nodes',
          data: { id: target, mirror: true, card: edge.destination, width: 1, height: 1 },
          position: { x, y },
        });
      }
      const now = live.get(edge.key);
      this.cy.add({
        group: 'edges',
        data: {
          id: edge.key,
          source: edge.source,
          target,
          ...data,
          verdict: now?.verdict ?? 'quiet',
          width: now?.width ?? 1.25,
          quiet: now?.quiet ?? 0,
        },
      });
    }
  }

  #edgeData({ source, destination, route }: SceneEdge) {
    const relative = (key: string, [x, y]: readonly [number, number]) => {
      const card = this.#cards.get(key)!;
      return `${x - card.x - card.width / 2}px ${y - card.y - card.height / 2}px`;
    };
    return {
      ...relativeControls(route),
      from: relative(source, route.start),
      to: source === destination ? '0px 0px' : relative(destination, route.end),
    };
  }
}

function middle(card: SceneCard, by: Point): { x: number; y: number } {
  return { x: card.x + card.width / 2 + by.x, y: card.y + card.height / 2 + by.y };
}
