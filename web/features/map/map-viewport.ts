import type { Camera } from './camera.ts';
import type { Point } from './point.ts';
import type { Viewport } from './viewport.ts';

const LEAST_ZOOM = 0.03;
const MOST_ZOOM = 2.5;

/** Where the map is looked at from, whoever moves it: what fits it, buttons, keys, a pointer. */
export class MapViewport {
  readonly #followers: (() => void)[] = [];
  #camera: Camera = { zoom: 1, pan: { x: 0, y: 0 }, width: 0, height: 0 };

  static readonly zooms = { least: LEAST_ZOOM, most: MOST_ZOOM } as const;

  get camera(): Camera {
    return this.#camera;
  }

  /** Has `moved` called whenever pan or zoom is another. */
  follow(moved: () => void): void {
    this.#followers.push(moved);
  }

  /** The frame's size, in pixels. Returns whether it is another. */
  resize(width: number, height: number): boolean {
    if (width === this.#camera.width && height === this.#camera.height) return false;
    this.#camera = { ...this.#camera, width, height };
    return true;
  }

  show({ zoom: wanted, pan: { x, y } }: Viewport): void {
    const { zoom: before, pan } = this.#camera;
    const zoom = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, wanted));
    if (zoom === before && x === pan.x && y === pan.y) return;
    this.#camera = { ...this.#camera, zoom, pan: { x, y } };
    for (const moved of this.#followers) moved();
  }

  panBy(x: number, y: number): void {
    const { zoom, pan } = this.#camera;
    this.show({ zoom, pan: { x: pan.x + x, y: pan.y + y } });
  }

  /** What lies in the middle of the frame stays there. */
  zoomBy(factor: number): void {
    const { zoom: before, pan, width, height } = this.#camera;
    const zoom = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, before * factor));
    const kept = (at: number, middle: number) => middle - (middle - at) * (zoom / before);
    this.show({ zoom, pan: { x: kept(pan.x, width / 2), y: kept(pan.y, height / 2) } });
  }

  /** Has this point of the map in the middle of the frame. */
  centre({ x, y }: Point, zoom = this.#camera.zoom): void {
    const { width, height } = this.#camera;
    this.show({ zoom, pan: { x: width / 2 - x * zoom, y: height / 2 - y * zoom } });
  }
}
