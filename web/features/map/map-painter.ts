import { BitmapLayer } from './bitmap-layer.ts';
import { type Camera, coversView, movedView } from './camera.ts';
import { LayerCanvas } from './layer-canvas.ts';
import { type Picture, paintAbove, paintPicture } from './paint-picture.ts';
import type { Painting } from './paint-request.ts';
import { PaintingThread } from './painting-thread.ts';

/** Pixels painted beyond the frame where the map is large: so far it can be moved without painting it anew. */
const LARGE_MARGIN = 320;
/** How much larger or smaller what is painted may be shown until it is painted anew. */
const MOST_SCALE = 1.6;

/** What a layer shows. */
interface Painted {
  readonly camera: Camera;
  readonly margin: number;
}

/**
 * Paints the map. What is small is painted whole in one frame. What is large is painted by another thread, while what it
 * painted before is moved as it is.
 */
export class MapPainter {
  readonly #small: LayerCanvas;
  readonly #large: BitmapLayer;
  /** Above a large map: what is dragged over it, or pointed at. */
  readonly #above: LayerCanvas;
  readonly #thread: PaintingThread;
  /** What the large layer shows; undefined until a large map was painted. */
  #painted: Painted | undefined;
  /** What was asked for and is not shown yet. */
  #asked: Painted | undefined;
  #answer: Painting | undefined;
  /** Without it, all that is large is painted as what is small: at once, and slowly. */
  hasThread = true;

  /** `painted`: a large map is ready to be shown, by `step`. */
  constructor(frame: HTMLElement, painted: (milliseconds: number) => void) {
    this.#small = new LayerCanvas(frame);
    this.#large = new BitmapLayer(frame);
    this.#above = new LayerCanvas(frame, { covers: false });
    this.#above.show(false);
    this.#large.show(false);
    this.#thread = new PaintingThread(
      (answer) => {
        this.#answer = answer;
        painted(answer.milliseconds);
      },
      () => {
        this.hasThread = false;
        painted(0);
      },
    );
  }

  remove(): void {
    this.#thread.end();
    for (const layer of [this.#small, this.#large, this.#above]) layer.remove();
  }

  /** Paints it all, now. */
  paint(picture: Picture, camera: Camera): void {
    this.#painted = undefined;
    const pieces = paintPicture(this.#small.begin(camera, 0), picture, camera, 0);
    while (!pieces.next().done);
    this.#small.show(true);
    this.#large.show(false);
  }

  /** Whether a painting of a large map is being made. */
  get busy(): boolean {
    return this.#asked !== undefined;
  }

  /** Whether what is painted, or being painted, will do for this place, moving on a little included. */
  reaches(camera: Camera): boolean {
    const painted = this.#asked ?? this.#painted;
    if (painted === undefined) return false;
    const { scale } = movedView(painted.camera, camera);
    const sharp = scale <= MOST_SCALE && scale >= 1 / MOST_SCALE;
    return sharp && coversView(painted.camera, painted.margin / 2, camera);
  }

  /** Whether it is as sharp as it can be from there. */
  isSharp(camera: Camera): boolean {
    return this.#painted !== undefined && this.#painted.camera.zoom === camera.zoom && this.reaches(camera);
  }

  /** Has a large map painted anew; `step` shows it. */
  begin({ attention, palette }: Picture, camera: Camera): void {
    this.#asked = { camera, margin: LARGE_MARGIN };
    this.#thread.paint({ camera, margin: LARGE_MARGIN, ratio: devicePixelRatio, attention, palette });
  }

  /** Shows what is dragged or pointed at above a large map, which is not painted anew for it; undefined = nothing is. */
  above(picture: Picture | undefined, camera: Camera): void {
    if (picture !== undefined) paintAbove(this.#above.begin(camera, 0), picture, camera);
    this.#above.show(picture !== undefined);
  }

  /** Shows what is painted as it is seen from there. */
  step(camera: Camera): void {
    if (this.#answer !== undefined && this.#asked !== undefined) {
      this.#painted = this.#asked;
      this.#large.take(this.#answer.bitmap, this.#painted.camera, this.#painted.margin);
      this.#asked = this.#answer = undefined;
    }
    if (this.#painted === undefined) return;
    this.#large.move(this.#painted.camera, camera, this.#painted.margin);
    this.#large.show(true);
    this.#small.show(false);
  }
}
