import { type Camera, coversView, movedView } from './camera.ts';
import { LayerCanvas } from './layer-canvas.ts';
import { type Picture, paintDragged, paintPicture } from './paint-picture.ts';

/** Pixels painted beyond the frame where the map is large: so far it can be moved without painting it anew. */
const LARGE_MARGIN = 320;
/** How much larger or smaller what is painted may be shown until it is painted anew. */
const MOST_SCALE = 1.6;
/** Milliseconds of one frame that painting a large map may take. */
export const SLICE_MS = 7;

/** What a layer shows. */
interface Painted {
  readonly camera: Camera;
  readonly margin: number;
}

/**
 * Paints the map. What is small is painted whole in one frame. What is large is painted on a layer that is not shown, a
 * slice in each frame, while the one that is shown is moved as it is.
 */
export class MapPainter {
  readonly #small: LayerCanvas;
  #front: LayerCanvas;
  #back: LayerCanvas;
  /** Above them, what is dragged over a large map. */
  readonly #dragged: LayerCanvas;
  /** What the front shows; undefined until a large map was painted. */
  #painted: Painted | undefined;
  #painting: (Painted & { readonly pieces: Iterator<undefined, void> }) | undefined;

  constructor(frame: HTMLElement) {
    this.#small = new LayerCanvas(frame);
    this.#front = new LayerCanvas(frame);
    this.#back = new LayerCanvas(frame);
    this.#dragged = new LayerCanvas(frame, { covers: false });
    this.#dragged.show(false);
    this.#show(this.#small);
  }

  remove(): void {
    for (const layer of [...this.#layers, this.#dragged]) layer.remove();
  }

  /** Paints it all, now. */
  paint(picture: Picture, camera: Camera): void {
    this.#painted = undefined;
    this.#painting = undefined;
    const pieces = paintPicture(this.#small.begin(camera, 0), picture, camera, 0);
    while (!pieces.next().done);
    this.#show(this.#small);
  }

  /** Whether a painting of a large map is being made. */
  get busy(): boolean {
    return this.#painting !== undefined;
  }

  /** Whether what is painted, or being painted, will do for this place, moving on a little included. */
  reaches(camera: Camera): boolean {
    const painted = this.#painting ?? this.#painted;
    if (painted === undefined) return false;
    const { scale } = movedView(painted.camera, camera);
    const sharp = scale <= MOST_SCALE && scale >= 1 / MOST_SCALE;
    return sharp && coversView(painted.camera, painted.margin / 2, camera);
  }

  /** Whether it is as sharp as it can be from there. */
  isSharp(camera: Camera): boolean {
    return this.#painted !== undefined && this.#painted.camera.zoom === camera.zoom && this.reaches(camera);
  }

  /** Begins to paint a large map anew; `step` goes on with it. */
  begin(picture: Picture, camera: Camera): void {
    const margin = LARGE_MARGIN;
    const pieces = paintPicture(this.#back.begin(camera, margin), picture, camera, margin);
    this.#painting = { camera, margin, pieces };
  }

  /** Shows what is dragged above a large map that is not painted anew for it; undefined = nothing is. */
  drag(picture: Picture | undefined, camera: Camera): void {
    if (picture !== undefined) paintDragged(this.#dragged.begin(camera, 0), picture, camera);
    this.#dragged.show(picture !== undefined);
  }

  /** Paints a slice, and shows what is finished as it is seen from there. */
  step(camera: Camera): void {
    if (this.#painting !== undefined && this.#paintSlice(this.#painting.pieces)) {
      this.#painted = this.#painting;
      this.#painting = undefined;
      [this.#front, this.#back] = [this.#back, this.#front];
    }
    if (this.#painted === undefined) return;
    const { camera: from, margin } = this.#painted;
    const { scale, dx, dy } = movedView(from, camera);
    // Between pixels, everything would be blurred.
    const whole = (by: number) => (scale === 1 ? Math.round(by) : by);
    this.#front.move(scale, whole(dx), whole(dy), margin);
    this.#show(this.#front);
  }

  /** Returns whether that was the last one. */
  #paintSlice(pieces: Iterator<undefined, void>): boolean {
    const until = performance.now() + SLICE_MS;
    do {
      if (pieces.next().done) return true;
      this.#back.flush();
    } while (performance.now() < until);
    return false;
  }

  get #layers(): LayerCanvas[] {
    return [this.#small, this.#front, this.#back];
  }

  #show(shown: LayerCanvas): void {
    for (const layer of this.#layers) layer.show(layer === shown);
  }
}
