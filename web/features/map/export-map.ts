import type { EdgeLive } from '../../graph/live.ts';
import type { MapState } from '../../live/map-client.ts';
import { type DropTag, paintDropTag } from './drop-tags.ts';
import { paintCard } from './paint-cards.ts';
import { paintEdge } from './paint-edges.ts';
import { paintPlate } from './paint-plates.ts';
import type { Palette } from './palette.ts';
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

function paintAll(surface: Surface, { state, tags, palette }: Shown, bounds: ReturnType<typeof outer>): void {
  surface.fillStyle = palette.canvas;
  surface.fillRect(bounds.x, bounds.y, bounds.width, bounds.height);
  for (const plate of state.scene.plates) {
    paintPlate(surface, plate, { hovered: false, focused: false }, palette, 1, 1);
  }
  for (const { route, live } of byWeight(state)) paintEdge(surface, route, live, palette);
  const look = { selected: false, focused: false, hovered: false, aside: false, found: false, shown: 1 };
  for (const card of state.scene.cards) {
    const paint = { palette, detail: 'full', hairline: 1 } as const;
    paintCard(surface, card, { ...look, live: state.cards.get(card.key) }, paint);
  }
  for (const tag of tags) paintDropTag(surface, tag, palette);
}

/** Quiet arrows first, those with drops last and so on top. */
function byWeight({ scene, edges }: MapState) {
  const rank = (live: EdgeLive | undefined) =>
    live === undefined || live.verdict === 'quiet' ? 0 : live.verdict === 'forwarded' ? 1 : 2;
  return scene.edges
    .map(({ key, route }) => ({ route, live: edges.get(key) }))
    .sort((a, b) => rank(a.live) - rank(b.live));
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
