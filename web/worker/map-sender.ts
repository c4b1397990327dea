import { listChange } from '../graph/list-change.ts';
import type { LiveNumbers } from '../graph/live.ts';
import { changedNumbers, type PackedNumbers, packNumbers } from '../graph/packed-numbers.ts';
import { isSameRoute } from '../graph/route.ts';
import type { Scene, SceneCard, SceneEdge } from '../graph/scene.ts';
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
  const cardChange = listChange(before?.cards ?? [], cards, isSameCard);
  const edgeChange = listChange(before?.edges ?? [], edges, isSameEdge);
  for (const piece of pieces(cardChange.fresh)) emit({ type: 'fresh', cards: piece, edges: [] });
  for (const piece of pieces(edgeChange.fresh)) emit({ type: 'fresh', cards: [], edges: piece });
  emit({ type: 'scene', scene, cards: cardChange.places, edges: edgeChange.places, numbers, layoutMs });
}

function* pieces<T>(list: readonly T[]): Generator<T[]> {
  for (let from = 0; from < list.length; from += PIECE) yield list.slice(from, from + PIECE);
}

function isSameEdge(a: SceneEdge, b: SceneEdge): boolean {
  return (
    a.door === b.door &&
    a.words === b.words &&
    a.sourceTitle === b.sourceTitle &&
    a.destinationTitle === b.destinationTitle &&
    isSameRoute(a.route, b.route)
  );
}

/** Of one key: what the key says is the same. */
function isSameCard(a: SceneCard, b: SceneCard): boolean {
  return (
    a.x === b.x &&
    a.y === b.y &&
    a.width === b.width &&
    a.height === b.height &&
    a.title === b.title &&
    a.sentence === b.sentence &&
    a.icon === b.icon &&
    a.plate === b.plate &&
    a.folded === b.folded &&
    a.pinned === b.pinned &&
    a.kind === b.kind &&
    a.cluster === b.cluster &&
    a.namespace === b.namespace &&
    a.workloadKind === b.workloadKind &&
    a.name === b.name &&
    a.doors.length === b.doors.length &&
    a.doors.every(({ port, protocol, y }, at) => {
      const door = b.doors[at];
      return port === door.port && protocol === door.protocol && y === door.y;
    })
  );
}
