import type { Camera } from './camera.ts';
import type { Attention } from './emphasis.ts';
import type { Palette } from './palette.ts';

/** A font of the page, for a thread that has no style sheets. */
export interface FontSource {
  readonly family: string;
  /** As in a style sheet, with absolute addresses. */
  readonly source: string;
  readonly weight: string;
}

/** What is to be painted of what the painting thread knows. */
export interface PaintRequest {
  readonly camera: Camera;
  /** Pixels painted beyond the frame, on every side. */
  readonly margin: number;
  /** Pixels of the screen per CSS pixel. */
  readonly ratio: number;
  readonly attention: Attention;
  readonly palette: Palette;
}

/** From the page to the thread that paints. */
export type PainterMessage =
  | { readonly type: 'fonts'; readonly fonts: readonly FontSource[] }
  /** What is drawn comes by the port, as `MapEvent`s from the map's worker: first what is drawn now. */
  | { readonly type: 'feed'; readonly port: MessagePort }
  | { readonly type: 'paint'; readonly request: PaintRequest };

/** The answer to each `paint`. */
export interface Painting {
  readonly bitmap: ImageBitmap;
  /** How long it took. */
  readonly milliseconds: number;
}
