import type { SceneCard } from '../../graph/scene.ts';
import type { MapState } from '../../live/map-client.ts';
import { untilLoaded } from '../../ui/late-part.ts';
import { Appearing } from './appearing.ts';
import { Arrows } from './arrows.ts';
import { type Camera, seenRect } from './camera.ts';
import { detailAt, typeScale } from './card-type.ts';
import { type DropTag, dropTags } from './drop-tags.ts';
import { type Attention, type Standing, standing } from './emphasis.ts';
import { MapPainter } from './map-painter.ts';
import { MapPointer, type PointerEvents } from './map-pointer.ts';
import { MapViewport } from './map-viewport.ts';
import { MiniMap } from './mini-map.ts';
import type { Picture } from './paint-picture.ts';
import { PaintSchedule } from './paint-schedule.ts';
import { type Palette, readPalette } from './palette.ts';
import type { Point } from './point.ts';
import { type Insets, largestFitted } from './viewport.ts';

export interface MapCanvasEvents extends PointerEvents {
  /** Pan or zoom changed; of a large map told when it stands still. */
  viewport(pan: Point, zoom: number): void;
}

const MOST_FIT_ZOOM = 1.1;
/** Zoom at which a card that was looked for can be read. */
const READABLE = { least: 0.6, wanted: 0.8 };
/** Above the map lie its tools at the right, below it the legend at the left and buttons at the right: it stays clear of them, one way or another. */
const INSETS: readonly Insets[] = [
  { top: 54, right: 24, bottom: 54, left: 24 },
  { top: 16, right: 308, bottom: 54, left: 24 },
  { top: 54, right: 168, bottom: 36, left: 24 },
  { top: 16, right: 308, bottom: 36, left: 24 },
  { top: 16, right: 308, bottom: 16, left: 416 },
];
/** Cards above which a map takes too long to paint for one frame. */
const LARGE = 150;

/** The moment, among the page's own marks in the browser's timeline, from which a map is seen. */
const FIRST_MAP = 'first-map';

/** The drawn map: what is shown of a state, and where one looks at it from. */
export class MapCanvas {
  readonly #frame: HTMLElement;
  readonly #resizes: ResizeObserver;
  readonly #viewport = new MapViewport();
  readonly #arrows = new Arrows();
  readonly #painter: MapPainter;
  /** Of a large map. */
  readonly #schedule: PaintSchedule;
  readonly #appearing = new Appearing();
  readonly #pointer: MapPointer;
  readonly #mini: MiniMap;
  readonly #events: MapCanvasEvents;
  #palette: Palette = readPalette();
  #state: MapState | null = null;
  #cards = new Map<string, SceneCard>();
  /** Undefined until they are needed: from far away they are not drawn. */
  #tags: { readonly scale: number; readonly tags: readonly DropTag[] } | undefined;
  #selected: string | null = null;
  #focused: string | null = null;
  #found: ReadonlySet<string> | undefined;
  #attention: Attention = { selected: null, hovered: null, focused: null, found: undefined };
  #standing: Standing = standing(this.#attention, this.#cards, []);
  /** The next painting; 0 = none is asked for. */
  #nextPaint = 0;
  #later: ReturnType<typeof setTimeout> | undefined;
  #fitted = false;
  #moved = false;
  /** Whether the pointer is listened to, or is about to be. */
  #listens = false;
  #destroyed = false;

  constructor(frame: HTMLElement, events: MapCanvasEvents) {
    this.#frame = frame;
    this.#events = events;
    this.#painter = new MapPainter(frame, (milliseconds) => {
      this.#schedule.painted(milliseconds);
      this.#nextFrame();
    });
    this.#schedule = new PaintSchedule(this.#painter, () => this.#tellViewport());
    this.#mini = new MiniMap(frame, (x, y) => {
      this.#moved = true;
      this.#viewport.centre({ x, y });
    });
    this.#pointer = new MapPointer(this.#arrows, this.#pointerEvents(), () => this.#attend());
    this.#viewport.resize(frame.clientWidth, frame.clientHeight);
    this.#viewport.follow(() => this.#viewportChanged());
    this.#resizes = new ResizeObserver(() => {
      if (!this.#viewport.resize(frame.clientWidth, frame.clientHeight)) return;
      if (!this.#moved) this.fit();
      this.#redraw();
    });
    this.#resizes.observe(frame);
    this.#redraw();
  }

  destroy(): void {
    cancelAnimationFrame(this.#nextPaint);
    clearTimeout(this.#later);
    this.#destroyed = true;
    this.#resizes.disconnect();
    this.#pointer.end();
    this.#painter.remove();
    this.#mini.remove();
  }

  /** What is drawn now, for exports. */
  get shown(): { readonly state: MapState; readonly tags: readonly DropTag[]; readonly palette: Palette } | null {
    return this.#state && { state: this.#state, tags: this.#currentTags(this.#state, 1), palette: this.#palette };
  }

  setState(state: MapState): void {
    const { bounds, cards, edges, found } = state.scene;
    const first = this.#cards.size === 0;
    const before = this.#state?.scene.bounds;
    if (!first) this.#appearing.add(cards.flatMap(({ key }) => (this.#cards.has(key) ? [] : [key])));
    this.#state = state;
    this.#cards = new Map(cards.map((card) => [card.key, card]));
    this.#found = found && new Set([...found.cards, ...found.edges]);
    this.#arrows.setScene(edges);
    this.#pointer.setState(state, this.#cards);
    this.#attend();
    this.liveChanged();
    this.#redraw();
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
    this.#arrows.refresh(state.edges, this.#palette);
    this.#tags = undefined;
    this.#schedule.numbersChanged();
    this.#nextFrame();
  }

  themeChanged(): void {
    this.#palette = readPalette();
    this.liveChanged();
    this.#redraw();
  }

  setSelected(key: string | null): void {
    if (key === this.#selected) return;
    this.#selected = key;
    this.#attend();
  }

  /** Keyboard focus: on a card's key, a plate's id, or an arrow's key. */
  setFocused(key: string | null): void {
    this.#focused = key;
    if (key !== null) this.reveal(key);
    this.#attend();
  }

  /** Another view is another picture: it is fitted anew. */
  forgetViewport(): void {
    this.#moved = false;
    this.#fitted = false;
  }

  fit(): void {
    const bounds = this.#state?.scene.bounds;
    const viewport = bounds && largestFitted(bounds, this.#camera, INSETS, MOST_FIT_ZOOM);
    if (viewport === undefined) return;
    this.#viewport.show(viewport);
    this.#moved = false;
  }

  zoomBy(factor: number): void {
    this.#moved = true;
    this.#viewport.zoomBy(factor);
  }

  panBy(x: number, y: number): void {
    this.#moved = true;
    this.#viewport.panBy(x, y);
  }

  /** Moves the map so that a card or plate is in view, and large enough to be read when it was looked for. */
  reveal(key: string, readable = false): void {
    const card = this.#cards.get(key) ?? this.#state?.scene.plates.find(({ id }) => id === key);
    if (card === undefined) return;
    const { zoom } = this.#camera;
    const seen = seenRect(this.#camera);
    const inside =
      card.x >= seen.x &&
      card.y >= seen.y &&
      card.x + card.width <= seen.x + seen.width &&
      card.y + card.height <= seen.y + seen.height;
    if (inside && !readable) return;
    this.#moved = true;
    const middle = { x: card.x + card.width / 2, y: card.y + card.height / 2 };
    this.#viewport.centre(middle, readable && zoom < READABLE.least ? READABLE.wanted : zoom);
  }

  #pointerEvents(): PointerEvents {
    const { select, focus, fold, hover } = this.#events;
    return {
      select,
      focus,
      fold,
      hover,
      moved: (places) => {
        this.#moved = true;
        this.#events.moved(places);
      },
    };
  }

  get #camera(): Camera {
    return this.#viewport.camera;
  }

  /** The pointer means nothing before there is a map; what listens to it is loaded when that is painted. */
  async #listen(): Promise<void> {
    if (this.#listens) return;
    this.#listens = true;
    performance.mark(FIRST_MAP);
    const { MapGestures } = await untilLoaded(() => import('./map-gestures.ts'));
    if (this.#destroyed) return;
    const moved = () => {
      this.#moved = true;
    };
    this.#pointer.listen(this.#frame, new MapGestures(this.#frame, this.#viewport, moved));
  }

  #viewportChanged(): void {
    this.#pointer.leaveArrow();
    if (this.#isLarge) this.#schedule.moved();
    else this.#tellViewport();
    this.#nextFrame();
  }

  #tellViewport(): void {
    const { zoom, pan } = this.#camera;
    this.#events.viewport(pan, zoom);
  }

  get #isLarge(): boolean {
    return this.#painter.hasThread && (this.#cards.size > LARGE || this.#arrows.isDense);
  }

  #currentTags(state: MapState, scale: number): readonly DropTag[] {
    if (this.#tags?.scale !== scale) this.#tags = { scale, tags: dropTags(state.scene, state.edges, scale) };
    return this.#tags.tags;
  }

  /** What a person looks at changed. */
  #attend(): void {
    const before = this.#attention;
    const { card: hovered } = this.#pointer;
    this.#attention = { selected: this.#selected, hovered, focused: this.#focused, found: this.#found };
    const scene = this.#state?.scene;
    this.#standing = standing(this.#attention, this.#cards, scene?.edges ?? []);
    this.#arrows.setEmphasis(this.#standing.edge);
    if (this.#state !== null && JSON.stringify(before) !== JSON.stringify(this.#attention)) {
      this.#arrows.refresh(this.#state.edges, this.#palette);
    }
    // Over a large map, what is pointed at lies on a layer of its own.
    if (this.#isLarge && isSameButPointed(before, this.#attention)) this.#nextFrame();
    else this.#redraw();
  }

  /** What is painted is outdated. */
  #redraw(): void {
    this.#schedule.changed();
    this.#nextFrame();
  }

  #nextFrame(): void {
    clearTimeout(this.#later);
    if (this.#nextPaint !== 0) return;
    this.#nextPaint = requestAnimationFrame(() => {
      this.#nextPaint = 0;
      this.#paint();
      // Behind the frame that shows the map.
      if (this.#state !== null && !this.#listens) setTimeout(() => void this.#listen());
    });
  }

  #paint(): void {
    const state = this.#state;
    if (state === null) return;
    const camera = this.#camera;
    this.#mini.paint(state, seenRect(camera), this.#palette, camera);
    const { card, plate, drag } = this.#pointer;
    const isAbove = this.#isLarge && (drag?.moved || (!this.#schedule.isMoving && (card !== null || plate !== null)));
    this.#painter.above(isAbove ? this.#picture(state, camera, false) : undefined, camera);
    if (!this.#isLarge) {
      this.#painter.paint(this.#picture(state, camera, true), camera);
      this.#appearing.settle(performance.now());
      if (this.#appearing.any) this.#nextFrame();
      return;
    }
    const attention = { ...this.#attention, hovered: null };
    const picture = () => ({ ...this.#picture(state, camera, false), attention, drag: undefined });
    const wait = this.#schedule.frame({ camera, picture });
    if (wait === 0) this.#nextFrame();
    else if (wait !== undefined) this.#later = setTimeout(() => this.#nextFrame(), wait);
  }

  #picture(state: MapState, { zoom }: Camera, gently: boolean): Picture {
    const now = performance.now();
    return {
      state,
      attention: this.#attention,
      standing: this.#standing,
      hoveredPlate: this.#pointer.plate,
      drag: this.#pointer.drag,
      tags: detailAt(zoom) === 'full' && !this.#isLarge ? this.#currentTags(state, typeScale(zoom)) : [],
      arrows: this.#arrows,
      palette: this.#palette,
      shown: gently ? (key) => this.#appearing.shown(key, now) : () => 1,
    };
  }
}

function isSameButPointed(before: Attention, after: Attention): boolean {
  return before.selected === after.selected && before.focused === after.focused && before.found === after.found;
}
