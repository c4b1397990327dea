import type { Rect } from '../../graph/geometry.ts';

/** Pixels at the frame's edges that are kept free: below the map stand the legend and the buttons. */
export interface Insets {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

export interface Viewport {
  readonly zoom: number;
  /** Where the map's origin lies in the frame, in pixels. */
  readonly pan: { x: number; y: number };
}

/** The viewport that shows these bounds as large as they fit; undefined when there is nothing to see or no room. */
export function fitted(
  bounds: Rect,
  frame: { readonly width: number; readonly height: number },
  insets: Insets,
  mostZoom: number,
): Viewport | undefined {
  const width = frame.width - insets.left - insets.right;
  const height = frame.height - insets.top - insets.bottom;
  if (bounds.width <= 0 || bounds.height <= 0 || width <= 0 || height <= 0) return undefined;
  const zoom = Math.min(width / bounds.width, height / bounds.height, mostZoom);
  return {
    zoom,
    pan: {
      x: insets.left + width / 2 - (bounds.x + bounds.width / 2) * zoom,
      y: insets.top + height / 2 - (bounds.y + bounds.height / 2) * zoom,
    },
  };
}

/** Of several ways to stay clear of what lies over the map the one that shows it largest; the first of equals. */
export function largestFitted(
  bounds: Rect,
  frame: { readonly width: number; readonly height: number },
  insets: readonly Insets[],
  mostZoom: number,
): Viewport | undefined {
  let best: Viewport | undefined;
  for (const each of insets) {
    const viewport = fitted(bounds, frame, each, mostZoom);
    if (viewport !== undefined && viewport.zoom > (best?.zoom ?? 0) * 1.02) best = viewport;
  }
  return best;
}
