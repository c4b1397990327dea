import type { Details } from '../graph/details.ts';
import type { PackedNumbers } from '../graph/packed-numbers.ts';
import type { ReachView } from '../graph/reach.ts';
import type { Scene, SceneCard, SceneEdge } from '../graph/scene.ts';
import type { MapOptions } from '../view/map-options.ts';
import type { PolicyCounts } from './question.ts';

/** What a person changed by hand in one view of the map. */
export interface Arrangement {
  /** Plates, by id. */
  readonly folded: readonly string[];
  readonly unfolded: readonly string[];
  /** Cards by key: the column and the top where they were put. */
  readonly pins: Readonly<Record<string, readonly [column: number, y: number]>>;
}

export const NO_ARRANGEMENT: Arrangement = { folded: [], unfolded: [], pins: {} };

export interface MapRoom {
  /** Width over height. */
  readonly aspect: number;
  /** So few pixels wide that cards are better seen below each other than small. */
  readonly narrow: boolean;
  /** How many cards can be read in it at once. */
  readonly cards: number;
}

/** From a tab to its map worker. */
export type MapRequest =
  /** The other end belongs to the session; `MapMessage`s come from it. */
  | { readonly type: 'feed'; readonly port: MessagePort }
  /** What the map has, for when it is laid out anew. */
  | { readonly type: 'room'; readonly room: MapRoom }
  | { readonly type: 'select'; readonly key: string | null }
  | { readonly type: 'options'; readonly options: MapOptions }
  /** What policies allow, to be shown beside what is seen; null = not to be. */
  | { readonly type: 'reach'; readonly reach: ReachView | null }
  /** What policies come to on each plate. */
  | { readonly type: 'policed'; readonly policed: PolicyCounts }
  | { readonly type: 'arrange'; readonly arrangement: Arrangement }
  /** The other end paints: it hears of scenes and numbers as the tab does. */
  | { readonly type: 'painter'; readonly port: MessagePort }
  /** Forget where everything stood and lay out anew. */
  | { readonly type: 'tidy' };

/** From a map worker to its tab. */
export type MapEvent =
  /** A new view: nothing is known yet. */
  | { readonly type: 'cleared' }
  /** Cards and arrows of the next scene that are new, or not as they were. */
  | { readonly type: 'fresh'; readonly cards: readonly SceneCard[]; readonly edges: readonly SceneEdge[] }
  | {
      readonly type: 'scene';
      readonly scene: Omit<Scene, 'cards' | 'edges'>;
      /** Places in the scene before, or among what was told to be fresh (`ListChange`). */
      readonly cards: Int32Array<ArrayBuffer>;
      readonly edges: Int32Array<ArrayBuffer>;
      /** All of them. */
      readonly numbers: PackedNumbers;
      /** Milliseconds the layout took. */
      readonly layoutMs: number;
    }
  /** What changed in numbers since the last scene or live event. */
  | { readonly type: 'live'; readonly numbers: PackedNumbers }
  | { readonly type: 'details'; readonly key: string; readonly details: Details | null };
