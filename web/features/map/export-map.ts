import type { MapState } from '../../live/map-client.ts';
import { arrowLook } from './arrow-look.ts';
import { cardType } from './card-type.ts';
import { type DropTag, paintDropTag } from './drop-tags.ts';
import { paintArrow } from './paint-arrows.ts';
import { paintCard } from './paint-cards.ts';
import { paintPlate } from './paint-plates.ts';
import type { Palette } from './palette.ts';
import { plateFigures } from './plate-figures.ts';
import type { Surface } from './surface.ts';
import { SvgSurface } from './svg-surface.ts';

const MARGIN = 32;
/** Pixels of an exported picture per map unit; less for maps that would not fit in a canvas. */
const PNG_SCALE = 2;
const MOST_SIDE = 8_192;
const MOST_PIXELS = 64_000_000;

export interface Shown {
  readonly state: MapState;
  readonly tags: readonly DropTag[];
  readonly palette: Palette;
}

/** The whole map as a picture, with everything legible whatever the zoom on the screen. */
export function mapPng(shown: Shown): Promise<Blob> {
  const bounds = outer(shown);
  const scale = Math.min(
    PNG_SCALE,
    MOST_SIDE / bounds.width,
    MOST_SIDE / bounds.height,
    Math.sqrt(MOST_PIXELS / (bounds.width * bounds.height)),
  );
  const canvas = document.createElement('canvas');
  canvas.width = Math.ceil(bounds.width * scale);
  canvas.height = Math.ceil(bounds.height * scale);
  const context = canvas.getContext('2d')!;
  context.scale(scale, scale);
  context.translate(-bounds.x, -bounds.y);
  paintAll(context, shown, bounds);
  return new Promise((resolve, reject) => {
    canvas.toBlob(
      (blob) => (blob === null ? reject(new Error('the browser made no picture')) : resolve(blob)),
      'image/png',
    );
  });
}

export function mapSvg(shown: Shown, title: string): Blob {
  const bounds = outer(shown);
  const surface = new SvgSurface(document.createElement('canvas').getContext('2d')!);
  paintAll(surface, shown, bounds);
  return new Blob([surface.document(bounds, title)], { type: 'image/svg+xml' });
}

function outer({ state }: Shown) {
  const { x, y, width, height } = state.scene.bounds;
  return { x: x - MARGIN, y: y - MARGIN, width: width + 2 * MARGIN, height: height + 2 * MARGIN };
}

function paintAll(surface: Surface, shown: Shown, bounds: ReturnType<typeof outer>): void {
  const { state, tags, palette } = shown;
  surface.fillStyle = palette.canvas;
  surface.fillRect(bounds.x, bounds.y, bounds.width, bounds.height);
  const figures = plateFigures(state.scene.cards, state.cards);
  for (const plate of state.scene.plates) {
    paintPlate(surface, plate, { hovered: false, focused: false, figures: figures.get(plate.id) }, palette, 1, 1);
  }
  for (const { route, look } of arrowsOf(shown)) paintArrow(surface, route, look, { palette });
  surface.globalAlpha = 1;
  surface.setLineDash([]);
  surface.lineDashOffset = 0;
  const look = { selected: false, focused: false, hovered: false, aside: false, found: false, shown: 1 };
  const type = cardType(surface, state.scene.cards, state.cards, 1);
  const paint = { palette, detail: 'full', type, hairline: 1 } as const;
  for (const card of state.scene.cards) {
    paintCard(surface, card, { ...look, live: state.cards.get(card.key) }, paint);
  }
  for (const tag of tags) paintDropTag(surface, tag, palette);
}

function arrowsOf({ state: { scene, edges }, palette }: Shown) {
  return scene.edges
    .map(({ key, route }) => ({ route, look: arrowLook(edges.get(key), undefined, false, palette) }))
    .sort((a, b) => a.look.rank - b.look.rank);
}

/** Hands a file to the person. */
export function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
