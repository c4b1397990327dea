import type { Camera } from './camera.ts';
import { movedView } from './camera.ts';

/** A canvas that shows what another thread painted, moved along with the map. */
export class BitmapLayer {
  readonly #canvas = document.createElement('canvas');
  readonly #context: ImageBitmapRenderingContext;

  constructor(frame: HTMLElement) {
    this.#context = this.#canvas.getContext('bitmaprenderer', { alpha: false })!;
    this.#canvas.className = 'pointer-events-none absolute origin-top-left';
    this.#canvas.setAttribute('aria-hidden', 'true');
    frame.append(this.#canvas);
  }

  /** Takes the bitmap; it reaches `margin` pixels beyond a frame of that size. */
  take(bitmap: ImageBitmap, { width, height }: Camera, margin: number): void {
    // It takes the bitmap's size whatever these say; who reads it goes by them.
    if (this.#canvas.width !== bitmap.width) this.#canvas.width = bitmap.width;
    if (this.#canvas.height !== bitmap.height) this.#canvas.height = bitmap.height;
    this.#context.transferFromImageBitmap(bitmap);
    const { style } = this.#canvas;
    style.left = style.top = `${-margin}px`;
    style.width = `${width + 2 * margin}px`;
    style.height = `${height + 2 * margin}px`;
  }

  /** Shows what was painted from one place as it is seen from another. */
  move(from: Camera, to: Camera, margin: number): void {
    const { scale, dx, dy } = movedView(from, to);
    // Between pixels, everything would be blurred.
    const whole = (by: number) => (scale === 1 ? Math.round(by) : by);
    // The canvas's own corner lies at (-margin, -margin) of the frame.
    const [x, y] = [whole(dx) + margin * (1 - scale), whole(dy) + margin * (1 - scale)];
    this.#canvas.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
  }

  show(shown: boolean): void {
    this.#canvas.classList.toggle('hidden', !shown);
  }

  remove(): void {
    this.#canvas.remove();
  }
}
