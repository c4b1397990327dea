import type { Rect } from '../../graph/geometry.ts';
import type { MapState } from '../../live/map-client.ts';
import type { Arrows } from './arrows.ts';
import type { CardDrag } from './card-drag.ts';
import { type DropTag, paintDropTag } from './drop-tags.ts';
import type { Attention, Standing } from './emphasis.ts';
import { LayerCanvas } from './layer-canvas.ts';
import { detailAt, paintCard } from './paint-cards.ts';
import { paintGround, paintPlate, paintPlateName } from './paint-plates.ts';
import type { Palette } from './palette.ts';
import { meets, type Point } from './point.ts';

const APPEAR_MS = 160;
/** Pixels painted beyond the frame where the map is large: so far it can be moved without painting it anew. */
const LARGE_MARGIN = 256;
/** How much larger or smaller what is painted may be shown until then. */
const MOST_SCALE = 1.6;

/** Everything a painting depends on. */
export interface Picture {
  readonly state: MapState;
  readonly attention: Attention;
  readonly standing: Standing;
  readonly hoveredPlate: string | null;
  readonly drag: CardDrag | undefined;
  readonly tags: readonly DropTag[];
  /** False while the arrows of a dense map are hidden because it is moved. */
  readonly withArrows: boolean;
  /** Takes long to paint: it is moved as it is, as far as that goes. */
  readonly large: boolean;
}

export interface Camera {
  readonly zoom: number;
  readonly pan: Point;
  readonly width: number;
  readonly height: number;
}

/** Paints the map on two canvases, one below the layer that hears the pointer and one above. */
export class MapPainter {
  readonly #below: LayerCanvas;
  readonly #above: LayerCanvas;
  readonly #arrows: Arrows;
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)');
  /** When a card came up, for its first moments. */
  readonly #appeared = new Map<string, number>();
  /** What the canvases show. */
  #painted: { readonly camera: Camera; readonly margin: number } | undefined;

  constructor(frame: HTMLElement, middle: HTMLElement, arrows: Arrows) {
    this.#arrows = arrows;
    this.#below = new LayerCanvas(frame);
    frame.append(middle);
    this.#above = new LayerCanvas(frame);
  }

  remove(): void {
    this.#below.remove();
    this.#above.remove();
  }

  /** These cards have just come: they come up gently. */
  appear(keys: Iterable<string>): void {
    const now = performance.now();
    for (const key of keys) this.#appeared.set(key, now);
  }

  /** Shows what is painted from another place. Returns whether that covers the frame; if not, it has to be painted. */
  move(camera: Camera): boolean {
    if (this.#painted === undefined || this.#painted.margin === 0) return false;
    const { camera: from, margin } = this.#painted;
    const scale = camera.zoom / from.zoom;
    const [dx, dy] = [camera.pan.x - from.pan.x * scale, camera.pan.y - from.pan.y * scale];
    const covers =
      from.width === camera.width &&
      from.height === camera.height &&
      scale <= MOST_SCALE &&
      scale >= 1 / MOST_SCALE &&
      dx - margin * scale <= 0 &&
      dy - margin * scale <= 0 &&
      dx + (camera.width + margin) * scale >= camera.width &&
      dy + (camera.height + margin) * scale >= camera.height;
    if (covers) for (const layer of [this.#below, this.#above]) layer.move(scale, dx, dy, margin);
    return covers;
  }

  /** Returns whether the next frame should be painted too. */
  paint(picture: Picture | undefined, camera: Camera, palette: Palette): boolean {
    const { zoom, pan } = camera;
    const margin = picture?.large ? LARGE_MARGIN : 0;
    this.#painted = { camera, margin };
    const below = this.#below.begin(camera, margin);
    paintGround(below, camera, margin, palette);
    const above = this.#above.begin(camera, margin);
    for (const context of [below, above]) {
      context.translate(pan.x, pan.y);
      context.scale(zoom, zoom);
    }
    if (picture === undefined) return false;
    const seen = seenRect(camera, margin);
    this.#paintPlates(below, picture, seen, zoom, palette);
    if (picture.withArrows) this.#arrows.paint(below, seen, palette, picture.drag, Math.max(1, 1 / zoom));
    return this.#paintCards(above, picture, seen, zoom, palette);
  }

  #paintPlates(below: CanvasRenderingContext2D, picture: Picture, seen: Rect, zoom: number, palette: Palette): void {
    const { state, drag, attention, hoveredPlate } = picture;
    for (const plate of state.scene.plates) {
      const placed = drag?.plate === plate.id ? shifted(plate, drag.by) : plate;
      if (!meets(placed, seen)) continue;
      const look = { hovered: plate.id === hoveredPlate, focused: plate.id === attention.focused };
      paintPlate(below, placed, look, palette, zoom, Math.max(1, 1 / zoom));
    }
  }

  #paintCards(above: CanvasRenderingContext2D, picture: Picture, seen: Rect, zoom: number, palette: Palette): boolean {
    const { state, drag, attention, standing } = picture;
    const detail = detailAt(zoom);
    const paint = { palette, detail, zoom, hairline: Math.max(1, 1 / zoom) };
    const now = performance.now();
    let appearing = false;
    for (const card of state.scene.cards) {
      const { key } = card;
      const placed = drag?.keys.has(key) ? shifted(card, drag.by) : card;
      if (!meets(placed, seen)) continue;
      const shown = this.#shown(key, now);
      appearing ||= shown < 1;
      const look = {
        live: state.cards.get(key),
        selected: key === attention.selected,
        focused: key === attention.focused,
        hovered: key === attention.hovered,
        aside: standing.isAside(key),
        found: attention.found?.has(key) ?? false,
        shown,
      };
      paintCard(above, placed, look, paint);
    }
    if (detail === 'shape') {
      for (const plate of state.scene.plates) if (meets(plate, seen)) paintPlateName(above, plate, palette, zoom);
    }
    if (detail === 'full') this.#paintTags(above, picture, palette);
    return appearing;
  }

  #paintTags(above: CanvasRenderingContext2D, { tags, standing }: Picture, palette: Palette): void {
    const { near } = standing;
    for (const tag of tags) {
      const touches = near.size === 0 || near.has(tag.source) || near.has(tag.destination);
      above.globalAlpha = touches ? 1 : 0.3;
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

/** The part of the map in view, and `margin` pixels around it, in map units. */
export function seenRect({ zoom, pan, width, height }: Camera, margin = 0): Rect {
  return {
    x: (-pan.x - margin) / zoom,
    y: (-pan.y - margin) / zoom,
    width: (width + 2 * margin) / zoom,
    height: (height + 2 * margin) / zoom,
  };
}

function shifted<T extends Rect>(rect: T, by: Point): T {
  return { ...rect, x: rect.x + by.x, y: rect.y + by.y };
}
