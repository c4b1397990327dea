import type { Rect } from '../../graph/geometry.ts';
import type { MapState } from '../../live/map-client.ts';
import type { Palette } from './palette.ts';
import { verdictColor } from './palette.ts';

const WIDTH = 176;
const HEIGHT = 112;
const PADDING = 6;
/** With fewer cards than this there is nothing to get lost in. */
const LEAST_CARDS = 24;
/** Pixels of a frame in which it would cover too much. */
const LEAST_FRAME = 200_000;

/**
 * The whole map in a corner, with the part that is seen. A press or drag goes there. Keyboards reach every card through the
 * tree, so it is told to pointers only.
 */
export class MiniMap {
  readonly #canvas = document.createElement('canvas');
  readonly #picture = document.createElement('canvas');
  readonly #goTo: (x: number, y: number) => void;
  #drawn: MapState | null = null;
  #drawnPalette: Palette | null = null;
  #drawnAt = 0;
  #bounds: Rect = { x: 0, y: 0, width: 1, height: 1 };
  #scale = 1;

  constructor(frame: HTMLElement, goTo: (x: number, y: number) => void) {
    this.#goTo = goTo;
    const canvas = this.#canvas;
    canvas.setAttribute('aria-hidden', 'true');
    canvas.title = 'The whole map: press to go there';
    canvas.dataset.part = 'mini-map';
    canvas.className =
      'absolute right-4 bottom-14 z-10 hidden cursor-crosshair rounded-lg border border-line bg-background/90 touch-none';
    canvas.style.width = `${WIDTH}px`;
    canvas.style.height = `${HEIGHT}px`;
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.#press(event);
      event.preventDefault();
    });
    canvas.addEventListener('pointermove', (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) this.#press(event);
    });
    frame.append(canvas);
  }

  remove(): void {
    this.#canvas.remove();
  }

  /** `seen` is the part of the map in view, in map units. */
  paint(
    state: MapState,
    seen: Rect,
    palette: Palette,
    frame: { readonly width: number; readonly height: number },
  ): void {
    const { bounds, cards } = state.scene;
    const isWhole =
      seen.x <= bounds.x &&
      seen.y <= bounds.y &&
      seen.x + seen.width >= bounds.x + bounds.width &&
      seen.y + seen.height >= bounds.y + bounds.height;
    const wanted = cards.length >= LEAST_CARDS && !isWhole && frame.width * frame.height > LEAST_FRAME;
    this.#canvas.classList.toggle('hidden', !wanted);
    if (!wanted) return;
    const ratio = devicePixelRatio;
    if (this.#drawn !== state || this.#drawnPalette !== palette || performance.now() - this.#drawnAt > 1_000) {
      this.#drawPicture(state, palette, ratio);
    }
    const context = this.#canvas.getContext('2d')!;
    if (this.#canvas.width !== this.#picture.width) {
      this.#canvas.width = this.#picture.width;
      this.#canvas.height = this.#picture.height;
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    context.drawImage(this.#picture, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const [x, y] = this.#at(seen.x, seen.y);
    context.strokeStyle = palette.accent;
    context.lineWidth = 1.5;
    context.strokeRect(x, y, seen.width * this.#scale, seen.height * this.#scale);
  }

  #drawPicture(state: MapState, palette: Palette, ratio: number): void {
    this.#drawn = state;
    this.#drawnPalette = palette;
    this.#drawnAt = performance.now();
    this.#bounds = state.scene.bounds;
    const { width, height } = this.#bounds;
    this.#scale = Math.min((WIDTH - 2 * PADDING) / Math.max(width, 1), (HEIGHT - 2 * PADDING) / Math.max(height, 1));
    this.#picture.width = Math.round(WIDTH * ratio);
    this.#picture.height = Math.round(HEIGHT * ratio);
    const context = this.#picture.getContext('2d')!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    for (const plate of state.scene.plates) {
      const [x, y] = this.#at(plate.x, plate.y);
      context.fillStyle = palette.plate;
      context.strokeStyle = palette.line;
      context.lineWidth = 0.5;
      context.beginPath();
      context.rect(x, y, plate.width * this.#scale, plate.height * this.#scale);
      context.fill();
      context.stroke();
    }
    for (const card of state.scene.cards) {
      const [x, y] = this.#at(card.x, card.y);
      const { doors = [], rest } = state.cards.get(card.key) ?? {};
      const dropping = [...doors, ...(rest === undefined ? [] : [rest])].some(
        ({ verdict }) => verdict === 'dropped' || verdict === 'mixed',
      );
      context.fillStyle = dropping ? verdictColor(palette, 'dropped') : palette.faint;
      context.fillRect(x, y, Math.max(1.5, card.width * this.#scale), Math.max(1.5, card.height * this.#scale));
    }
  }

  #at(x: number, y: number): [number, number] {
    return [
      (WIDTH - this.#bounds.width * this.#scale) / 2 + (x - this.#bounds.x) * this.#scale,
      (HEIGHT - this.#bounds.height * this.#scale) / 2 + (y - this.#bounds.y) * this.#scale,
    ];
  }

  #press(event: PointerEvent): void {
    const [left, top] = this.#at(this.#bounds.x, this.#bounds.y);
    this.#goTo(
      this.#bounds.x + (event.offsetX - left) / this.#scale,
      this.#bounds.y + (event.offsetY - top) / this.#scale,
    );
  }
}
