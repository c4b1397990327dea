type Parts =
  | 'save'
  | 'restore'
  | 'translate'
  | 'scale'
  | 'beginPath'
  | 'moveTo'
  | 'lineTo'
  | 'bezierCurveTo'
  | 'arc'
  | 'closePath'
  | 'roundRect'
  | 'fill'
  | 'stroke'
  | 'fillRect'
  | 'fillText'
  | 'measureText'
  | 'setLineDash'
  | 'lineDashOffset'
  | 'globalAlpha'
  | 'fillStyle'
  | 'strokeStyle'
  | 'lineWidth'
  | 'lineCap'
  | 'lineJoin'
  | 'font'
  | 'textAlign'
  | 'textBaseline';

/** What the map is painted on: a canvas, or an SVG document (`svg-surface.ts`) that takes the same strokes. */
export type Surface = Omit<Pick<CanvasRenderingContext2D, Parts>, 'fill' | 'stroke'> & {
  fill(): void;
  stroke(): void;
  /** Strokes an outline in SVG's path language. Where it is missing, `stroke(path)` does. */
  strokeOutline?(outline: string): void;
};
