import cytoscape, { type Core, type EdgeSingular, type EventObject } from 'cytoscape';
import { PLATE_TITLE, type Rect } from '../../graph/geometry.ts';
import type { SceneCard, SceneEdge } from '../../graph/scene.ts';
import type { MapState } from '../../live/map-client.ts';
import { relativeControls } from './curve.ts';
import { type DropTag, dropTags, paintDropTag } from './drop-tags.ts';
import { mapStyle } from './edge-look.ts';
import { LayerCanvas } from './layer-canvas.ts';
import { detailAt, paintCard } from './paint-cards.ts';
import { paintGround, paintPlate } from './paint-plates.ts';
import { type Palette, readPalette } from './palette.ts';

export interface MapCanvasEvents {
  /** A card was clicked; null = the ground. */
  select(key: string | null): void;
  /** A plate's title was clicked. */
  fold(plate: string): void;
  hover(edge: SceneEdge | null, at: { x: number; y: number }): void;
  /** Pan or zoom changed. */
  viewport(pan: { x: number; y: number }, zoom: number): void;
}

/** Arrows above which they are hidden while panning and zooming. */
const MANY_EDGES = 300;
const FIT_PADDING = 32;
/** Below the map stand the legend and the buttons. */
const FIT_PADDING_BOTTOM = 60;
const MOST_FIT_ZOOM = 1.1;

/**
 * The drawn map: Cytoscape draws arrows and knows what is under the pointer; plates lie on a canvas below it, cards on one
 * above it, painted in the same frame.
 */
export class MapCanvas {
  readonly #cy: Core;
  readonly #below: LayerCanvas;
  readonly #above: LayerCanvas;
  readonly #events: MapCanvasEvents;
  #palette: Palette = readPalette();
  #state: MapState | null = null;
  #cards = new Map<string, SceneCard>();
  #edges = new Map<string, SceneEdge>();
  #tags: readonly DropTag[] = [];
  #selected: string | null = null;
  #focused: string | null = null;
  #hovered: string | null = null;
  #hoveredPlate: string | null = null;
  #near = new Set<string>();
  #fitted = false;
  #moved = false;

  constructor(frame: HTMLElement, events: MapCanvasEvents) {
    this.#events = events;
    this.#below = new LayerCanvas(frame);
    const middle = document.createElement('div');
    middle.className = 'absolute inset-0';
    frame.append(middle);
    this.#above = new LayerCanvas(frame);
    this.#cy = cytoscape({
      container: middle,
      style: mapStyle(this.#palette),
      minZoom: 0.04,
      maxZoom: 2.5,
      autoungrabify: true,
      autounselectify: true,
      boxSelectionEnabled: false,
      layout: { name: 'preset' },
      pixelRatio: 'auto',
    });
    this.#cy.on('mousemove', (event) => this.#hoverGround(event));
    this.#cy.on('tap', (event) => this.#tapped(event));
    this.#cy.on('mouseover', 'node', (event) => this.#hover(event.target.data('card')));
    this.#cy.on('mouseout', 'node', () => this.#hover(null));
    this.#cy.on('mouseover mousemove', 'edge', (event) => this.#hoverEdge(event));
    this.#cy.on('mouseout', 'edge', () => events.hover(null, { x: 0, y: 0 }));
    this.#cy.on('pan zoom', () => events.viewport(this.#cy.pan(), this.#cy.zoom()));
    this.#cy.on('dragpan scrollzoom pinchzoom', () => {
      this.#moved = true;
    });
    this.#cy.on('render', () => this.#paint());
    this.#cy.on('resize', () => {
      if (!this.#moved) this.fit();
    });
  }

  destroy(): void {
    this.#cy.destroy();
    this.#below.remove();
    this.#above.remove();
  }

  setState(state: MapState): void {
    const first = this.#state === null || this.#cards.size === 0;
    const boundsBefore = this.#state?.scene.bounds;
    this.#state = state;
    this.#cards = new Map(state.scene.cards.map((card) => [card.key, card]));
    this.#edges = new Map(state.scene.edges.map((edge) => [edge.key, edge]));
    this.#cy.batch(() => {
      this.#syncNodes();
      this.#syncEdges();
    });
    (
      this.#cy as unknown as { _private: { renderer: { hideEdgesOnViewport: boolean } } }
    )._private.renderer.hideEdgesOnViewport = this.#edges.size > MANY_EDGES;
    this.#emphasize();
    this.liveChanged();
    const grew = boundsBefore === undefined || !sameRect(boundsBefore, state.scene.bounds);
    if (state.scene.cards.length > 0 && (first || !this.#fitted || (grew && !this.#moved))) {
      this.#fitted = true;
      this.fit();
    }
  }

  /** Numbers changed in the state's maps. */
  liveChanged(): void {
    const state = this.#state;
    if (state === null) return;
    this.#cy.batch(() => {
      for (const [key, live] of state.edges) {
        const edge = this.#cy.getElementById(key);
        if (edge.empty()) continue;
        if (edge.data('verdict') !== live.verdict) edge.data('verdict', live.verdict);
        if (edge.data('width') !== live.width) edge.data('width', live.width);
      }
    });
    this.#tags = dropTags(state.scene, state.edges);
    this.#redraw();
  }

  themeChanged(): void {
    this.#palette = readPalette();
    this.#cy.style(mapStyle(this.#palette));
    this.#redraw();
  }

  setSelected(key: string | null): void {
    if (key === this.#selected) return;
    this.#selected = key;
    this.#emphasize();
    this.#redraw();
  }

  setFocused(key: string | null): void {
    this.#focused = key;
    if (key !== null) this.#bringIntoView(key);
    this.#redraw();
  }

  fit(): void {
    const bounds = this.#state?.scene.bounds;
    if (bounds === undefined || bounds.width === 0) return;
    const width = this.#cy.width();
    const height = this.#cy.height();
    const zoom = Math.min(
      (width - 2 * FIT_PADDING) / bounds.width,
      (height - FIT_PADDING - FIT_PADDING_BOTTOM) / bounds.height,
      MOST_FIT_ZOOM,
    );
    if (!(zoom > 0)) return;
    this.#cy.viewport({
      zoom,
      pan: {
        x: width / 2 - (bounds.x + bounds.width / 2) * zoom,
        y: (height + FIT_PADDING - FIT_PADDING_BOTTOM) / 2 - (bounds.y + bounds.height / 2) * zoom,
      },
    });
    this.#moved = false;
  }

  zoomBy(factor: number): void {
    this.#moved = true;
    this.#cy.zoom({
      level: this.#cy.zoom() * factor,
      renderedPosition: { x: this.#cy.width() / 2, y: this.#cy.height() / 2 },
    });
  }

  /** Draws once more, soon: Cytoscape joins requests until the next frame. */
  #redraw(): void {
    (this.#cy as unknown as { forceRender(): void }).forceRender();
  }

  #syncNodes(): void {
    const gone = this.#cy.nodes().filter((node) => !this.#cards.has(node.data('card')));
    gone.remove();
    for (const card of this.#cards.values()) {
      const position = { x: card.x + card.width / 2, y: card.y + card.height / 2 };
      const node = this.#cy.getElementById(card.key);
      if (node.empty()) {
        this.#cy.add({
          group: 'nodes',
          data: { id: card.key, card: card.key, width: card.width, height: card.height },
          position,
        });
      } else {
        node.position(position);
        if (node.data('height') !== card.height) node.data('height', card.height);
      }
    }
  }

  #syncEdges(): void {
    this.#cy
      .edges()
      .filter((edge) => !this.#edges.has(edge.id()))
      .remove();
    // An arrow from a card to itself would be drawn as a loop of Cytoscape's own: such an arrow ends at a second, unseen node.
    this.#cy.nodes('[?mirror]').remove();
    const live = this.#state!.edges;
    for (const edge of this.#edges.values()) {
      const data = this.#edgeData(edge);
      const drawn = this.#cy.getElementById(edge.key);
      if (drawn.nonempty()) {
        drawn.data(data);
        continue;
      }
      let target = edge.destination;
      if (edge.source === edge.destination) {
        target = `mirror ${edge.key}`;
        const [x, y] = edge.route.end;
        this.#cy.add({
          group: 'nodes',
          data: { id: target, mirror: true, card: edge.destination, width: 1, height: 1 },
          position: { x, y },
        });
      }
      const now = live.get(edge.key);
      this.#cy.add({
        group: 'edges',
        data: {
          id: edge.key,
          source: edge.source,
          target,
          ...data,
          verdict: now?.verdict ?? 'quiet',
          width: now?.width ?? 1.25,
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

  /** What is selected and its neighbours stand out, the rest steps back. */
  #emphasize(): void {
    this.#near = new Set();
    const selected = this.#selected !== null && this.#cards.has(this.#selected) ? this.#selected : null;
    if (selected !== null) {
      this.#near.add(selected);
      for (const { source, destination } of this.#edges.values()) {
        if (source === selected) this.#near.add(destination);
        if (destination === selected) this.#near.add(source);
      }
    }
    this.#cy.batch(() => {
      this.#cy.edges().forEach((drawn) => {
        const edge = this.#edges.get(drawn.id());
        const touches = edge !== undefined && (edge.source === selected || edge.destination === selected);
        drawn.toggleClass('near', selected !== null && touches);
        drawn.toggleClass('aside', selected !== null && !touches);
      });
    });
  }

  #tapped(event: EventObject): void {
    const target = event.target as Core | cytoscape.SingularElementArgument;
    const title = this.#titleAt(event.position);
    if (title !== undefined) this.#events.fold(title);
    else if (target === this.#cy) this.#events.select(null);
    else if ((target as cytoscape.NodeSingular).isNode())
      this.#events.select((target as cytoscape.NodeSingular).data('card'));
  }

  /** The plate whose title lies at this point of the map. */
  #titleAt({ x, y }: { x: number; y: number }): string | undefined {
    return this.#state?.scene.plates.find(
      (plate) => x >= plate.x && x <= plate.x + plate.width && y >= plate.y && y <= plate.y + PLATE_TITLE,
    )?.id;
  }

  #hoverGround(event: EventObject): void {
    if (this.#hovered !== null) return;
    const plate = this.#titleAt(event.position) ?? null;
    if (plate === this.#hoveredPlate) return;
    this.#hoveredPlate = plate;
    this.#cy.container()!.style.cursor = plate === null ? '' : 'pointer';
    this.#redraw();
  }

  #hover(key: string | null): void {
    this.#hovered = key;
    this.#cy.container()!.style.cursor = key === null ? '' : 'pointer';
    this.#redraw();
  }

  #hoverEdge(event: EventObject): void {
    const edge = this.#edges.get((event.target as EdgeSingular).id());
    this.#events.hover(edge ?? null, event.renderedPosition);
  }

  #bringIntoView(key: string): void {
    const card = this.#cards.get(key) ?? this.#state?.scene.plates.find(({ id }) => id === key);
    if (card === undefined) return;
    const zoom = this.#cy.zoom();
    const { x: panX, y: panY } = this.#cy.pan();
    const left = card.x * zoom + panX;
    const top = card.y * zoom + panY;
    const outside =
      left < 0 ||
      top < 0 ||
      left + card.width * zoom > this.#cy.width() ||
      top + card.height * zoom > this.#cy.height();
    if (outside) {
      this.#cy.pan({
        x: this.#cy.width() / 2 - (card.x + card.width / 2) * zoom,
        y: this.#cy.height() / 2 - (card.y + card.height / 2) * zoom,
      });
    }
  }

  #paint(): void {
    const zoom = this.#cy.zoom();
    const pan = this.#cy.pan();
    const size = { width: this.#cy.width(), height: this.#cy.height() };
    const palette = this.#palette;
    const seen: Rect = { x: -pan.x / zoom, y: -pan.y / zoom, width: size.width / zoom, height: size.height / zoom };
    const hairline = Math.max(1, 1 / zoom);
    const below = this.#below.begin(size);
    paintGround(below, size, pan, zoom, palette);
    below.translate(pan.x, pan.y);
    below.scale(zoom, zoom);
    const above = this.#above.begin(size);
    above.translate(pan.x, pan.y);
    above.scale(zoom, zoom);
    const state = this.#state;
    if (state === null) return;
    for (const plate of state.scene.plates) {
      if (!meets(plate, seen)) continue;
      const state = { hovered: plate.id === this.#hoveredPlate, focused: plate.id === this.#focused };
      paintPlate(below, plate, state, palette, zoom, hairline);
    }
    const detail = detailAt(zoom);
    const emphasis = this.#near.size > 0;
    for (const card of state.scene.cards) {
      if (!meets(card, seen)) continue;
      paintCard(
        above,
        card,
        {
          live: state.cards.get(card.key),
          selected: card.key === this.#selected,
          focused: card.key === this.#focused,
          hovered: card.key === this.#hovered,
          aside: emphasis && !this.#near.has(card.key),
        },
        { palette, detail, hairline },
      );
    }
    if (detail !== 'full') return;
    for (const tag of this.#tags) {
      const edge = this.#edges.get(tag.edge);
      const touches = edge?.source === this.#selected || edge?.destination === this.#selected;
      above.globalAlpha = emphasis && !touches ? 0.3 : 1;
      paintDropTag(above, tag, palette);
    }
    above.globalAlpha = 1;
  }
}

function meets(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function sameRect(a: Rect, b: Rect): boolean {
  return a.x === b.x && a.y === b.y && a.width === b.width && a.height === b.height;
}
