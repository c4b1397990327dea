import type { Camera } from './camera.ts';
import type { MapPainter } from './map-painter.ts';
import type { Picture } from './paint-picture.ts';

/** A large map that is moved is painted as it is seen from there when it stands still for so many frames and milliseconds. */
const STILL = { frames: 6, ms: 120 };
/** Changes that come within so many milliseconds are painted at once: what one selects opens the details, which resizes the map. */
const GATHER_MS = 40;
/** Numbers alone have a large map painted anew at most this often, in milliseconds, and for at most this share of the time. */
const NUMBERS_EVERY_MS = 1_000;
const NUMBERS_SHARE = 0.1;

/** What the next frame is drawn from. */
interface Frame {
  picture(): Picture;
  readonly camera: Camera;
}

/** Decides, frame by frame, when a large map is painted anew: soon after what a person does, now and then for numbers. */
export class PaintSchedule {
  readonly #painter: MapPainter;
  /** When what is painted became outdated. */
  #changedAt: number | undefined;
  #numbersOutdated = false;
  #begunAt = Number.NEGATIVE_INFINITY;
  /** Milliseconds that the last painting took. */
  #tookMs = 0;
  #moved: { at: number; frames: number } | undefined;
  /** The map stands still after it was moved. */
  readonly #onStill: () => void;

  constructor(painter: MapPainter, onStill: () => void) {
    this.#painter = painter;
    this.#onStill = onStill;
  }

  changed(): void {
    this.#changedAt ??= performance.now();
  }

  numbersChanged(): void {
    this.#numbersOutdated = true;
  }

  painted(milliseconds: number): void {
    this.#tookMs = milliseconds;
  }

  moved(): void {
    this.#moved = { at: performance.now(), frames: 0 };
  }

  get isMoving(): boolean {
    return this.#moved !== undefined;
  }

  /** Does what one frame has to. Returns milliseconds until the next one that is needed; 0 = the very next; undefined = none. */
  frame({ camera, picture }: Frame): number | undefined {
    const now = performance.now();
    if (this.#moved !== undefined && ++this.#moved.frames > STILL.frames && now - this.#moved.at >= STILL.ms) {
      this.#moved = undefined;
      this.#onStill();
    }
    if (!this.#painter.busy && this.#isDue(camera, now)) {
      this.#changedAt = undefined;
      this.#numbersOutdated = false;
      this.#begunAt = now;
      this.#painter.begin(picture(), camera);
    }
    this.#painter.step(camera);
    if (this.#moved !== undefined) return 0;
    // What is being painted tells when it is done.
    if (this.#painter.busy) return undefined;
    if (this.#changedAt !== undefined) return Math.max(0, this.#changedAt + GATHER_MS - now);
    return this.#numbersOutdated ? Math.max(0, this.#begunAt + this.#numbersEveryMs - now) : undefined;
  }

  get #numbersEveryMs(): number {
    return Math.max(NUMBERS_EVERY_MS, this.#tookMs / NUMBERS_SHARE);
  }

  #isDue(camera: Camera, now: number): boolean {
    if (!this.#painter.reaches(camera)) return true;
    if (this.#changedAt !== undefined) return now - this.#changedAt >= GATHER_MS;
    // In motion, nobody reads numbers.
    if (this.#moved !== undefined) return false;
    return !this.#painter.isSharp(camera) || (this.#numbersOutdated && now - this.#begunAt >= this.#numbersEveryMs);
  }
}
