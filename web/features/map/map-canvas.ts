import type { EventObject } from 'cytoscape';
import type { Rect } from '../../graph/geometry.ts';
import type { SceneCard, SceneEdge } from '../../graph/scene.ts';
import type { MapState } from '../../live/map-client.ts';
import { type Pair, pairKey, parsePair } from '../../view/pair.ts';
import { ArrowGraph, type Point } from './arrow-graph.ts';
import { CardDrag, titleAt } from './card-drag.ts';
import { type DropTag, dropTags, paintDropTag } from './drop-tags.ts';
import { LayerCanvas } from './layer-canvas.ts';
import { MiniMap } from './mini-map.ts';
import { detailAt, paintCard } from './paint-cards.ts';
import { paintGround, paintPlate, paintPlateName } from './paint-plates.ts';
import { type Palette, readPalette } from './palette.ts';
import { fitted, type Insets } from './viewport.ts';

export interface MapCanvasEvents {
  /** A card, or an arrow as a pair, was clicked; null = the ground. */
  select(key: string | null): void;
  /** A card was clicked twice. */
  focus(key: string): void;
  /** A plate's title was clicked. */
  fold(plate: string): void;
  hover(edge: SceneEdge | null, at: Point): void;
  /** Cards were dragged: the column and the top where each is to stand. */
  moved(places: Record<string, readonly [column: number, y: number]>): void;
  /** Pan or zoom changed. */
  viewport(pan: Point, zoom: number): void;
}

/** A second click this soon is a double click. */
const DOUBLE_MS = 350;
const APPEAR_MS = 160;
const MOST_FIT_ZOOM = 1.1;

/** The drawn map: arrows by Cytoscape, plates on a canvas below them, cards on one above, painted in the same frame. */
export class MapCanvas {
  readonly #graph: ArrowGraph;
  readonly #below: LayerCanvas;
  readonly #above: LayerCanvas;
  readonly #mini: MiniMap;
  readonly #events: MapCanvasEvents;
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)');
  #palette: Palette = readPalette();
  #state: MapState | null = null;
  #cards = new Map<string, SceneCard>();
  #edges = new Map<string, SceneEdge>();
  /** When a card came up, for its first moments. */
  readonly #appeared = new Map<string, number>();
  #tags: readonly DropTag[] = [];
  #selected: string | null = null;
  #focused: string | null = null;
  #hovered: string | null = null;
  #hoveredPlate: string | null = null;
  #near = new Set<string>();
  #found: ReadonlySet<string> | undefined;
  #drag: CardDrag | undefined;
  #tapped: { key: string; at: number } | undefined;
  #insets: Insets = { top: 54, right: 32, bottom: 60, left: 32 };
  #fitted = false;
  #moved = false;

  constructor(frame: HTMLElement, events: MapCanvasEvents) {
    this.#events = events;
    this.#below = new LayerCanvas(frame);
    const middle = document.createElement('div');
    middle.className = 'absolute inset-0';
    frame.append(middle);
    this.#above = new LayerCanvas(frame);
    this.#graph = new ArrowGraph(middle, this.#palette);
    this.#mini = new MiniMap(frame, (x, y) => {
      this.#moved = true;
      this.#centre({ x, y });
    });
    const { cy } = this.#graph;
    cy.on('tapstart', (event) => this.#pressed(event));
    cy.on('tapdrag', (event) => this.#dragged(event));
    cy.on('tapend', () => this.#released());
    cy.on('mousemove', (event) => this.#hoverGround(event));
    cy.on('tap', (event) => this.#tap(event));
    cy.on('mouseover', 'node', (event) => this.#hover(event.target.data('card')));
    cy.on('mouseout', 'node', () => this.#hover(null));
    cy.on('mouseover mousemove', 'edge', (event) => this.#hoverEdge(event));
    cy.on('mouseout', 'edge', () => this.#events.hover(null, { x: 0, y: 0 }));
    cy.on('pan zoom', () => events.viewport(cy.pan(), cy.zoom()));
    cy.on('dragpan scrollzoom pinchzoom', () => {
      this.#moved = true;
    });
    cy.on('render', () => this.#paint());
    cy.on('resize', () => {
      if (!this.#moved) this.fit();
    });
  }

  destroy(): void {
    this.#graph.cy.destroy();
    this.#below.remove();
    this.#above.remove();
    this.#mini.remove();
  }

  /** What is drawn now, for exports. */
  get shown(): { readonly state: MapState; readonly tags: readonly DropTag[]; readonly palette: Palette } | null {
    return this.#state && { state: this.#state, tags: this.#tags, palette: this.#palette };
  }

  setState(state: MapState): void {
    const first = this.#state === null || this.#cards.size === 0;
    const before = this.#state?.scene.bounds;
    const now = performance.now();
    if (!first) for (const { key } of state.scene.cards) if (!this.#cards.has(key)) this.#appeared.set(key, now);
    this.#state = state;
    this.#cards = new Map(state.scene.cards.map((card) => [card.key, card]));
    this.#edges = new Map(state.scene.edges.map((edge) => [edge.key, edge]));
    for (const key of this.#appeared.keys()) if (!this.#cards.has(key)) this.#appeared.delete(key);
    this.#found = state.scene.found && new Set([...state.scene.found.cards, ...state.scene.found.edges]);
    if (this.#drag !== undefined && [...this.#drag.keys].some((key) => !this.#cards.has(key))) this.#endDrag();
    this.#graph.setScene(this.#cards, this.#edges, state.edges);
    this.#emphasize();
    this.liveChanged();
    const { bounds, cards } = state.scene;
    const grew = before === undefined || JSON.stringify(before) !== JSON.stringify(bounds);
    if (cards.length > 0 && (first || !this.#fitted || (grew && !this.#moved))) {
      this.#fitted = true;
      this.fit();
    }
  }

  /** Numbers changed in the state's maps. */
  liveChanged(): void {
    const state = this.#state;
    if (state === null) return;
    this.#graph.setLive(state.edges);
    this.#tags = dropTags(state.scene, state.edges);
    this.#graph.redraw();
  }

  themeChanged(): void {
    this.#palette = readPalette();
    this.#graph.setPalette(this.#palette);
    this.#graph.redraw();
  }

  setSelected(key: string | null): void {
    if (key === this.#selected) return;
    this.#selected = key;
    this.#emphasize();
    this.#graph.redraw();
  }

  /** Keyboard focus: on a card's key, a plate's id, or an arrow's key. */
  setFocused(key: string | null): void {
    this.#focused = key;
    if (key !== null) this.reveal(key);
    this.#emphasize();
    this.#graph.redraw();
  }

  /** Another view is another picture: it is fitted anew. */
  forgetViewport(): void {
    this.#moved = false;
    this.#fitted = false;
  }

  fit(): void {
    const bounds = this.#state?.scene.bounds;
    const { cy } = this.#graph;
    const viewport = bounds && fitted(bounds, { width: cy.width(), height: cy.height() }, this.#insets, MOST_FIT_ZOOM);
    if (viewport === undefined) return;
    cy.viewport(viewport);
    this.#moved = false;
  }

  zoomBy(factor: number): void {
    const { cy } = this.#graph;
    this.#moved = true;
    cy.zoom({ level: cy.zoom() * factor, renderedPosition: { x: cy.width() / 2, y: cy.height() / 2 } });
  }

  panBy(x: number, y: number): void {
    this.#moved = true;
    this.#graph.cy.panBy({ x, y });
  }

  /** Moves the map so that a card or plate is in view, and large enough to be read when it was looked for. */
  reveal(key: string, readable = false): void {
    const { cy } = this.#graph;
    const card = this.#cards.get(key) ?? this.#state?.scene.plates.find(({ id }) => id === key);
    if (card === undefined) return;
    if (readable && cy.zoom() < 0.6) cy.zoom(0.8);
    const seen = this.#seen();
    const inside =
      card.x >= seen.x &&
      card.y >= seen.y &&
      card.x + card.width <= seen.x + seen.width &&
      card.y + card.height <= seen.y + seen.height;
    if (inside && !readable) return;
    this.#moved = true;
    this.#centre({ x: card.x + card.width / 2, y: card.y + card.height / 2 });
  }

  #centre({ x, y }: Point): void {
    const { cy } = this.#graph;
    const zoom = cy.zoom();
    cy.pan({ x: cy.width() / 2 - x * zoom, y: cy.height() / 2 - y * zoom });
  }

  #seen(): Rect {
    const { cy } = this.#graph;
    const zoom = cy.zoom();
    const pan = cy.pan();
    return { x: -pan.x / zoom, y: -pan.y / zoom, width: cy.width() / zoom, height: cy.height() / zoom };
  }

  /** What is selected and its neighbours stand out, or what is looked for; the rest steps back. */
  #emphasize(): void {
    const pair = this.#selected === null ? undefined : parsePair(this.#selected);
    const selected = pair === undefined && this.#cards.has(this.#selected ?? '') ? this.#selected : null;
    const isChosen = ({ source, destination }: Pair) =>
      pair !== undefined && source === pair.source && destination === pair.destination;
    this.#near = new Set(selected !== null ? [selected] : pair !== undefined ? [pair.source, pair.destination] : []);
    if (selected !== null) {
      for (const { source, destination } of this.#edges.values()) {
        if (source === selected) this.#near.add(destination);
        if (destination === selected) this.#near.add(source);
      }
    }
    if (![...this.#near].some((key) => this.#cards.has(key))) this.#near = new Set();
    const found = this.#found;
    this.#graph.setEmphasis((edge) => {
      const { key, source, destination } = edge;
      const ends = [source, destination];
      if (isChosen(edge) || key === this.#focused) return 'chosen';
      if (ends.some((end) => end === selected || end === this.#hovered || end === this.#focused)) return 'near';
      if (this.#near.size > 0) return 'aside';
      if (found === undefined || found.has(key)) return undefined;
      return ends.every((end) => found.has(end)) ? undefined : 'aside';
    });
  }

  #pressed(event: EventObject): void {
    if (this.#state === null || event.position === undefined) return;
    const target = this.#graph.target(event);
    const { plates } = this.#state.scene;
    const plate = target.kind === 'ground' ? titleAt(plates, event.position) : undefined;
    const cards =
      target.kind === 'card'
        ? [this.#cards.get(target.key)].filter((card) => card !== undefined)
        : plate === undefined
          ? []
          : this.#state.scene.cards.filter((card) => card.plate === plate);
    if (cards.length === 0) return;
    this.#drag = new CardDrag(cards, plate, event.position, event.renderedPosition);
    this.#graph.cy.userPanningEnabled(false);
  }

  #dragged(event: EventObject): void {
    if (this.#drag === undefined || !this.#drag.move(event.position, event.renderedPosition)) return;
    this.#events.hover(null, event.renderedPosition);
    this.#graph.shift(this.#drag.keys, this.#drag.by);
    this.#graph.redraw();
  }

  #released(): void {
    const drag = this.#drag;
    this.#endDrag();
    if (drag?.moved) {
      this.#moved = true;
      this.#events.moved(drag.places());
    }
  }

  #endDrag(): void {
    if (this.#drag === undefined) return;
    this.#graph.shift(this.#drag.keys, { x: 0, y: 0 });
    this.#drag = undefined;
    this.#graph.cy.userPanningEnabled(true);
  }

  #tap(event: EventObject): void {
    const target = this.#graph.target(event);
    const title = target.kind === 'ground' ? titleAt(this.#state?.scene.plates ?? [], event.position) : undefined;
    if (title !== undefined) this.#events.fold(title);
    else if (target.kind === 'card') this.#tapCard(target.key, event.originalEvent.timeStamp);
    else if (target.kind === 'edge') this.#events.select(pairKey(this.#edges.get(target.key)!));
    else this.#events.select(null);
  }

  /** The first click of two selects, the second focuses. */
  #tapCard(key: string, at: number): void {
    // By the clock of the pointer: a busy page may hear of both clicks late.
    const isSecond = this.#tapped?.key === key && at - this.#tapped.at < DOUBLE_MS;
    this.#tapped = isSecond ? undefined : { key, at };
    if (isSecond) this.#events.focus(key);
    else this.#events.select(key);
  }

  #hoverGround(event: EventObject): void {
    if (this.#hovered !== null) return;
    const plate = titleAt(this.#state?.scene.plates ?? [], event.position) ?? null;
    if (plate === this.#hoveredPlate) return;
    this.#hoveredPlate = plate;
    this.#setCursor(plate !== null);
    this.#graph.redraw();
  }

  #hover(key: string | null): void {
    if (key === this.#hovered || this.#drag?.moved) return;
    this.#hovered = key;
    this.#setCursor(key !== null);
    this.#emphasize();
    this.#graph.redraw();
  }

  #hoverEdge(event: EventObject): void {
    if (this.#drag?.moved) return;
    const target = this.#graph.target(event);
    this.#events.hover(target.kind === 'edge' ? (this.#edges.get(target.key) ?? null) : null, event.renderedPosition);
  }

  #setCursor(pointer: boolean): void {
    this.#graph.cy.container()!.style.cursor = pointer ? 'pointer' : '';
  }

  #paint(): void {
    const { cy } = this.#graph;
    const zoom = cy.zoom();
    const pan = cy.pan();
    const size = { width: cy.width(), height: cy.height() };
    const palette = this.#palette;
    const seen = this.#seen();
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
    const drag = this.#drag;
    for (const plate of state.scene.plates) {
      const placed = drag?.plate === plate.id ? shifted(plate, drag.by) : plate;
      if (!meets(placed, seen)) continue;
      const look = { hovered: plate.id === this.#hoveredPlate, focused: plate.id === this.#focused };
      paintPlate(below, placed, look, palette, zoom, hairline);
    }
    this.#paintCards(above, state, seen, zoom, hairline);
    this.#mini.paint(state, seen, palette, size.width);
  }

  #paintCards(above: CanvasRenderingContext2D, state: MapState, seen: Rect, zoom: number, hairline: number): void {
    const palette = this.#palette;
    const detail = detailAt(zoom);
    const drag = this.#drag;
    const emphasis = this.#near.size > 0;
    const now = performance.now();
    let appearing = false;
    for (const card of state.scene.cards) {
      const { key } = card;
      const placed = drag?.keys.has(key) ? shifted(card, drag.by) : card;
      if (!meets(placed, seen)) continue;
      const shown = this.#shown(key, now);
      appearing ||= shown < 1;
      const found = this.#found?.has(key) ?? false;
      const isNear = this.#near.has(key) || key === this.#focused;
      const look = {
        live: state.cards.get(key),
        selected: key === this.#selected,
        focused: key === this.#focused,
        hovered: key === this.#hovered,
        aside: emphasis ? !isNear : this.#found !== undefined && !found,
        found,
        shown,
      };
      paintCard(above, placed, look, { palette, detail, hairline });
    }
    if (appearing) this.#graph.redraw();
    if (detail === 'shape') {
      for (const plate of state.scene.plates) if (meets(plate, seen)) paintPlateName(above, plate, palette, zoom);
    }
    if (detail !== 'full') return;
    for (const tag of this.#tags) {
      const edge = this.#edges.get(tag.edge);
      const touches = edge !== undefined && (this.#near.has(edge.source) || this.#near.has(edge.destination));
      above.globalAlpha = emphasis && !touches ? 0.3 : 1;
      paintDropTag(above, tag, palette);
    }
    above.globalAlpha = 1;
  }

  /** 0 to 1 while a card comes up. */
  #shown(key: string, now: number): number {
    const since = this.#appeared.get(key);
    if (since === undefined) return 1;
    const share = this.#calm.matches ? 1 : (now - since) / APPEAR_MS;
    if (share >= 1) this.#appeared.delete(key);
    return Math.min(1, Math.max(0.05, share));
  }
}

function shifted<T extends Rect>(rect: T, by: Point): T {
  return { ...rect, x: rect.x + by.x, y: rect.y + by.y };
}

function meets(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
