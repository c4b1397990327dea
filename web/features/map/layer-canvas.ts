/** A canvas that covers its frame, sharp on any screen, and lets the pointer through. */
export class LayerCanvas {
  readonly #canvas = document.createElement('canvas');
  readonly #context = this.#canvas.getContext('2d')!;

  constructor(frame: HTMLElement) {
    this.#canvas.className = 'pointer-events-none absolute inset-0 size-full';
    this.#canvas.setAttribute('aria-hidden', 'true');
    frame.append(this.#canvas);
  }

  /** Clears it for a new frame; one unit is one CSS pixel. */
  begin({ width, height }: { width: number; height: number }): CanvasRenderingContext2D {
    const ratio = devicePixelRatio;
    const [pixelWidth, pixelHeight] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.#canvas.width !== pixelWidth || this.#canvas.height !== pixelHeight) {
      this.#canvas.width = pixelWidth;
      this.#canvas.height = pixelHeight;
    }
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#context.clearRect(0, 0, width, height);
    return this.#context;
  }

  remove(): void {
    this.#canvas.remove();
  }
}
