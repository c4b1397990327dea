import { changedList } from '../graph/list-change.ts';
import type { CardLive, EdgeLive } from '../graph/live.ts';
import { takeNumbers, unpackNumbers } from '../graph/packed-numbers.ts';
import type { Scene, SceneCard, SceneEdge } from '../graph/scene.ts';
import type { MapEvent } from './map-protocol.ts';

/** The scene and its numbers. A new object per scene, in which cards and arrows that did not change are the same objects; numbers
 * change in place. */
export interface MapState {
  readonly scene: Scene;
  readonly cards: Map<string, CardLive>;
  readonly edges: Map<string, EdgeLive>;
  /** Milliseconds the layout took. */
  readonly layoutMs: number;
}

/** The hearing end of a `MapSender`. */
export class MapReceiver {
  #freshCards: SceneCard[] = [];
  #freshEdges: SceneEdge[] = [];
  state: MapState | null = null;

  /** Returns what changed; undefined = nothing yet. */
  hear(event: MapEvent): 'scene' | 'live' | undefined {
    if (event.type === 'fresh') {
      this.#freshCards.push(...event.cards);
      this.#freshEdges.push(...event.edges);
      return undefined;
    }
    if (event.type === 'scene') {
      const before = this.state?.scene;
      const scene: Scene = {
        ...event.scene,
        cards: changedList(before?.cards ?? [], { places: event.cards, fresh: this.#freshCards }),
        edges: changedList(before?.edges ?? [], { places: event.edges, fresh: this.#freshEdges }),
      };
      this.#freshCards = [];
      this.#freshEdges = [];
      this.state = { scene, ...unpackNumbers(scene, event.numbers), layoutMs: event.layoutMs };
      return 'scene';
    }
    if (event.type !== 'live' || this.state === null) return undefined;
    takeNumbers(this.state.scene, event.numbers, this.state);
    return 'live';
  }
}
