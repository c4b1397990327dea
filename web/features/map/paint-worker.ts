import type { MapEvent } from '../../worker/map-protocol.ts';
import { MapReceiver, type MapState } from '../../worker/map-receiver.ts';
import { Arrows } from './arrows.ts';
import { detailAt, typeScale } from './card-type.ts';
import { type DropTag, dropTags } from './drop-tags.ts';
import { standing } from './emphasis.ts';
import { forgetFits } from './fit-text.ts';
import { paintPicture } from './paint-picture.ts';
import type { FontSource, PainterMessage, Painting, PaintRequest } from './paint-request.ts';

/** Milliseconds of painting between two looks at what came in. */
const SLICE_MS = 12;
/** How long a painting waits for fonts that do not come. */
const FONTS_MS = 2_000;

/** What is drawn, as the map's worker tells it: it goes by the page. */
const receiver = new MapReceiver();
let tags: { readonly scale: number; readonly tags: readonly DropTag[] } | undefined;
let waiting: PaintRequest | undefined;
let painting = false;
let feed: MessagePort | undefined;
let fonts: Promise<unknown> = Promise.resolve();
const arrows = new Arrows();
const canvas = new OffscreenCanvas(1, 1);
// The same calls as a canvas of the page's; what the types tell apart is not used.
const context = canvas.getContext('2d', {
  alpha: false,
  willReadFrequently: true,
}) as unknown as CanvasRenderingContext2D;

addEventListener('message', ({ data }: MessageEvent<PainterMessage>) => {
  if (data.type === 'fonts') fonts = Promise.race([load(data.fonts), sleep(FONTS_MS)]);
  else if (data.type === 'feed') {
    feed?.close();
    feed = data.port;
    feed.onmessage = (event: MessageEvent<MapEvent>) => hear(event.data);
  } else {
    waiting = data.request;
    void paintWaiting();
  }
});

async function load(sources: readonly FontSource[]): Promise<void> {
  const set = (globalThis as unknown as { fonts: FontFaceSet }).fonts;
  const faces = sources.map(({ family, source, weight }) => new FontFace(family, source, { weight }));
  for (const face of faces) set.add(face);
  await Promise.allSettled(faces.map((face) => face.load()));
  forgetFits();
}

function hear(event: MapEvent): void {
  const changed = receiver.hear(event);
  if (changed === undefined) return;
  tags = undefined;
  if (changed === 'live') return;
  arrows.setScene(receiver.state!.scene.edges);
  void paintWaiting();
}

/** Paints what is asked for, once there is something to paint. */
async function paintWaiting(): Promise<void> {
  if (painting) return;
  painting = true;
  try {
    await fonts;
    while (waiting !== undefined && receiver.state !== null) {
      const request = waiting;
      waiting = undefined;
      const begun = performance.now();
      await paint(request, receiver.state);
      const bitmap = canvas.transferToImageBitmap();
      const answer: Painting = { bitmap, milliseconds: performance.now() - begun };
      (globalThis as unknown as Worker).postMessage(answer, [bitmap]);
    }
  } finally {
    painting = false;
  }
}

async function paint({ camera, margin, ratio, attention, palette }: PaintRequest, shown: MapState) {
  const { scene, edges } = shown;
  const width = Math.round((camera.width + 2 * margin) * ratio);
  const height = Math.round((camera.height + 2 * margin) * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const known = new Map(scene.cards.map((card) => [card.key, card]));
  const stands = standing(attention, known, scene.edges);
  arrows.setEmphasis(stands.edge);
  arrows.refresh(edges, palette);
  const scale = typeScale(camera.zoom);
  if (detailAt(camera.zoom) === 'full' && tags?.scale !== scale) tags = { scale, tags: dropTags(scene, edges, scale) };
  const picture = {
    state: shown,
    attention,
    standing: stands,
    hoveredPlate: null,
    drag: undefined,
    tags: tags?.scale === scale ? tags.tags : [],
    arrows,
    palette,
    shown: () => 1,
  };
  context.setTransform(ratio, 0, 0, ratio, margin * ratio, margin * ratio);
  let until = performance.now() + SLICE_MS;
  for (const _ of paintPicture(context, picture, camera, margin)) {
    if (performance.now() < until) continue;
    // Numbers and scenes come in meanwhile; they count from the next painting on.
    await sleep(0);
    until = performance.now() + SLICE_MS;
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
