/** A canvas that covers its frame, sharp on any screen, and lets the pointer through. */
export class LayerCanvas {
  readonly #canvas = document.createElement('canvas');
  readonly #context: CanvasRenderingContext2D;

  /** `covers`: what is painted covers it whole, so that nothing below needs to be drawn. */
  constructor(frame: HTMLElement, { covers = true } = {}) {
    this.#context = this.#canvas.getContext('2d', { alpha: !covers })!;
    this.#canvas.className = 'pointer-events-none absolute origin-top-left';
    this.#canvas.setAttribute('aria-hidden', 'true');
    frame.append(this.#canvas);
  }

  /** Clears it for a new painting; one unit is one CSS pixel, the origin is the frame's. It reaches `margin` beyond the frame. */
  begin({ width, height }: { width: number; height: number }, margin: number): CanvasRenderingContext2D {
    const ratio = devicePixelRatio;
    const [fullWidth, fullHeight] = [width + 2 * margin, height + 2 * margin];
    const [pixelWidth, pixelHeight] = [Math.round(fullWidth * ratio), Math.round(fullHeight * ratio)];
    if (this.#canvas.width !== pixelWidth || this.#canvas.height !== pixelHeight) {
      this.#canvas.width = pixelWidth;
      this.#canvas.height = pixelHeight;
    }
    const { style } = this.#canvas;
    style.left = style.top = `${-margin}px`;
    style.width = `${fullWidth}px`;
    style.height = `${fullHeight}px`;
    this.#context.setTransform(ratio, 0, 0, ratio, margin * ratio, margin * ratio);
    this.#context.clearRect(-margin, -margin, fullWidth, fullHeight);
    return this.#context;
  }

  show(shown: boolean): void {
    this.#canvas.classList.toggle('hidden', !shown);
  }

  remove(): void {
    this.#canvas.remove();
  }
}
