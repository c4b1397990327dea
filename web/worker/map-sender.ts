import { listChange } from '../graph/list-change.ts';
import type { LiveNumbers } from '../graph/live.ts';
import { changedNumbers, type PackedNumbers, packNumbers } from '../graph/packed-numbers.ts';
import type { Scene } from '../graph/scene.ts';
import type { MapEvent } from './map-protocol.ts';

/** Cards and arrows told at once: who hears of thousands hears of other things in between. */
const PIECE = 250;

/** Tells scenes and their numbers as changes of what was told before, for a `MapReceiver`. */
export class MapSender {
  readonly #emit: (event: MapEvent) => void;
  #told: { readonly scene: Scene; readonly numbers: PackedNumbers; readonly layoutMs: number } | undefined;

  constructor(emit: (event: MapEvent) => void) {
    this.#emit = emit;
  }

  scene(scene: Scene, live: LiveNumbers, layoutMs: number): void {
    const numbers = packNumbers(scene, live);
    tellScene(this.#emit, this.#told?.scene, scene, numbers, layoutMs);
    this.#told = { scene, numbers, layoutMs };
  }

  /** Numbers of the scene told last. */
  live(live: LiveNumbers): void {
    if (this.#told === undefined) return;
    const { scene } = this.#told;
    const numbers = packNumbers(scene, live);
    const changed = changedNumbers(scene, this.#told.numbers, numbers);
    this.#told = { ...this.#told, numbers };
    if (changed !== undefined) this.#emit({ type: 'live', numbers: changed });
  }

  /** What was told so far, for one who hears it from now on. */
  repeat(emit: (event: MapEvent) => void): void {
    if (this.#told === undefined) return;
    const { scene, numbers, layoutMs } = this.#told;
    tellScene(emit, undefined, scene, numbers, layoutMs);
  }
}

function tellScene(
  emit: (event: MapEvent) => void,
  before: Scene | undefined,
  { cards, edges, ...scene }: Scene,
  numbers: PackedNumbers,
  layoutMs: number,
): void {
  const cardChange = listChange(before?.cards ?? [], cards);
  const edgeChange = listChange(before?.edges ?? [], edges);
  for (const piece of pieces(cardChange.fresh)) emit({ type: 'fresh', cards: piece, edges: [] });
  for (const piece of pieces(edgeChange.fresh)) emit({ type: 'fresh', cards: [], edges: piece });
  emit({ type: 'scene', scene, cards: cardChange.places, edges: edgeChange.places, numbers, layoutMs });
}

function* pieces<T>(list: readonly T[]): Generator<T[]> {
  for (let from = 0; from < list.length; from += PIECE) yield list.slice(from, from + PIECE);
}
