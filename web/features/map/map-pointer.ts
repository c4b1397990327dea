import type { EventObject } from 'cytoscape';
import type { SceneCard, SceneEdge } from '../../graph/scene.ts';
import type { MapState } from '../../live/map-client.ts';
import { pairKey } from '../../view/pair.ts';
import type { Arrows } from './arrows.ts';
import { CardDrag, titleAt } from './card-drag.ts';
import type { MapGestures } from './map-gestures.ts';
import type { Point } from './point.ts';

/** What a pointer can do to the map. */
export interface PointerEvents {
  /** A card, or an arrow as a pair, was clicked; null = the ground. */
  select(key: string | null): void;
  /** A card was clicked twice. */
  focus(key: string): void;
  /** A plate's title was clicked. */
  fold(plate: string): void;
  hover(edge: SceneEdge | null, at: Point): void;
  /** Cards were dragged: the column and the top where each is to stand. */
  moved(places: Record<string, readonly [column: number, y: number]>): void;
}

/** A second click this soon is a double click. */
const DOUBLE_MS = 350;
/** Pixels from an arrow at which a pointer is still on it. */
const REACH = 6;
/** Which arrow a pointer is on is looked for when it has slowed down for so many milliseconds: there are thousands to look at. */
const RESTS_MS = 30;

/** The pointer over the map: what it lies on, what it drags, what its clicks mean. */
export class MapPointer {
  readonly #arrows: Arrows;
  readonly #events: PointerEvents;
  /** Called when something looks different: a card or plate under the pointer, a card that is dragged. */
  readonly #changed: () => void;
  readonly #ended = new AbortController();
  /** Undefined until it is listened to. */
  #gestures: MapGestures | undefined;
  #state: MapState | null = null;
  #tapped: { readonly key: string; readonly at: number } | undefined;
  #edge: SceneEdge | undefined;
  #rests: ReturnType<typeof setTimeout> | undefined;
  card: string | null = null;
  plate: string | null = null;
  drag: CardDrag | undefined;

  constructor(arrows: Arrows, events: PointerEvents, changed: () => void) {
    this.#arrows = arrows;
    this.#events = events;
    this.#changed = changed;
  }

  listen(frame: HTMLElement, gestures: MapGestures): void {
    this.#gestures = gestures;
    const { cy } = gestures;
    cy.on('tapstart', (event) => this.#pressed(event));
    cy.on('tapdrag', (event) => this.#dragged(event));
    cy.on('tapend', () => this.#released());
    cy.on('tap', (event) => this.#tap(event));
    cy.on('mousemove', (event) => this.#over(event));
    const leave = () => {
      this.leaveArrow();
      this.#overCard(null);
    };
    frame.addEventListener('pointerleave', leave, { signal: this.#ended.signal });
  }

  end(): void {
    clearTimeout(this.#rests);
    this.#ended.abort();
    this.#gestures?.end();
  }

  setState(state: MapState, cards: ReadonlyMap<string, SceneCard>): void {
    this.#state = state;
    if (this.drag !== undefined && [...this.drag.keys].some((key) => !cards.has(key))) this.#endDrag();
  }

  /** The map moved away under the pointer. */
  leaveArrow(): void {
    clearTimeout(this.#rests);
    this.#overEdge(undefined, { x: 0, y: 0 });
  }

  /** Key of the card at this point of the map; of several the one drawn last. */
  #cardAt({ x, y }: Point): string | undefined {
    return this.#state?.scene.cards.findLast(
      (card) => x >= card.x && y >= card.y && x <= card.x + card.width && y <= card.y + card.height,
    )?.key;
  }

  #titleAt(at: Point): string | undefined {
    return titleAt(this.#state?.scene.plates ?? [], at);
  }

  #arrowAt(point: Point): SceneEdge | undefined {
    return this.#arrows.at(point, REACH / (this.#gestures?.cy.zoom() ?? 1));
  }

  #pressed(event: EventObject): void {
    const key = this.#cardAt(event.position);
    const plate = key === undefined ? this.#titleAt(event.position) : undefined;
    if (key === undefined && plate === undefined) return;
    const cards = (this.#state?.scene.cards ?? []).filter((card) => card.key === key || card.plate === plate);
    if (cards.length === 0) return;
    this.drag = new CardDrag(cards, plate, event.position, event.renderedPosition);
    this.#setPans(false);
  }

  #dragged(event: EventObject): void {
    if (!this.drag?.move(event.position, event.renderedPosition)) return;
    this.leaveArrow();
    this.#changed();
  }

  #released(): void {
    const { drag } = this;
    this.#endDrag();
    if (drag?.moved) this.#events.moved(drag.places());
  }

  #endDrag(): void {
    if (this.drag === undefined) return;
    this.drag = undefined;
    this.#setPans(true);
    this.#changed();
  }

  #tap(event: EventObject): void {
    const key = this.#cardAt(event.position);
    const plate = key === undefined ? this.#titleAt(event.position) : undefined;
    if (key !== undefined) this.#tapCard(key, event.originalEvent.timeStamp);
    else if (plate !== undefined) this.#events.fold(plate);
    else {
      const edge = this.#arrowAt(event.position);
      this.#events.select(edge === undefined ? null : pairKey(edge));
    }
  }

  /** The first click of two selects, the second focuses. */
  #tapCard(key: string, at: number): void {
    // By the clock of the pointer: a busy page may hear of both clicks late.
    const isSecond = this.#tapped?.key === key && at - this.#tapped.at < DOUBLE_MS;
    this.#tapped = isSecond ? undefined : { key, at };
    if (isSecond) this.#events.focus(key);
    else this.#events.select(key);
  }

  #over(event: EventObject): void {
    // While a button is held something is moved, and nothing looked at.
    if (this.drag?.moved || (event.originalEvent as MouseEvent).buttons !== 0) return;
    this.#overCard(this.#cardAt(event.position) ?? null);
    const plate = this.card === null ? (this.#titleAt(event.position) ?? null) : null;
    const isOnGround = this.card === null && plate === null;
    if (!isOnGround) this.leaveArrow();
    this.#setCursor(!isOnGround || this.#edge !== undefined);
    if (isOnGround) this.#lookForArrow(event);
    if (plate === this.plate) return;
    this.plate = plate;
    this.#changed();
  }

  #lookForArrow(event: EventObject): void {
    clearTimeout(this.#rests);
    // The event is the renderer's, and used again.
    const [at, onScreen] = [{ ...event.position }, { ...event.renderedPosition }];
    this.#rests = setTimeout(() => {
      const edge = this.#arrowAt(at);
      this.#overEdge(edge, onScreen);
      this.#setCursor(edge !== undefined);
    }, RESTS_MS);
  }

  #overCard(key: string | null): void {
    if (key === this.card || this.drag?.moved) return;
    this.card = key;
    this.#changed();
  }

  #overEdge(edge: SceneEdge | undefined, at: Point): void {
    if (edge === undefined && this.#edge === undefined) return;
    this.#edge = edge;
    this.#events.hover(edge ?? null, at);
  }

  #setPans(enabled: boolean): void {
    if (this.#gestures !== undefined) this.#gestures.pans = enabled;
  }

  #setCursor(pointer: boolean): void {
    if (this.#gestures !== undefined) this.#gestures.cursor = pointer ? 'pointer' : '';
  }
}
