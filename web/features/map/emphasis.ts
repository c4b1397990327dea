import type { SceneEdge } from '../../graph/scene.ts';
import { parsePair } from '../../view/pair.ts';
import type { Emphasis } from './arrow-look.ts';

/** What a person points at, looks at and looks for. */
export interface Attention {
  /** Key of a card, or of an arrow (`pair.ts`). */
  readonly selected: string | null;
  readonly hovered: string | null;
  /** Key of what has the keyboard's focus: a card, a plate or an arrow. */
  readonly focused: string | null;
  /** Keys of the cards and arrows that are looked for; undefined when nothing is. */
  readonly found: ReadonlySet<string> | undefined;
}

export interface Standing {
  /** The selected card and its neighbours, or the ends of the selected arrow; empty when nothing here is selected. */
  readonly near: ReadonlySet<string>;
  edge(edge: Pick<SceneEdge, 'key' | 'source' | 'destination'>): Emphasis;
  isAside(card: string): boolean;
}

/** What is selected and its neighbours stand out, or what is looked for; the rest steps back. */
export function standing(
  { selected, hovered, focused, found }: Attention,
  cards: { has(key: string): boolean },
  edges: Iterable<Pick<SceneEdge, 'key' | 'source' | 'destination'>>,
): Standing {
  const pair = selected === null ? undefined : parsePair(selected);
  const card = pair === undefined && selected !== null && cards.has(selected) ? selected : null;
  const near = new Set<string>();
  if (card !== null) {
    near.add(card);
    for (const { source, destination } of edges) {
      if (source === card) near.add(destination);
      if (destination === card) near.add(source);
    }
  } else if (pair !== undefined) {
    for (const end of [pair.source, pair.destination]) if (cards.has(end)) near.add(end);
  }
  return {
    near,
    edge({ key, source, destination }) {
      if (key === focused || (source === pair?.source && destination === pair.destination)) return 'chosen';
      const ends = [source, destination];
      if (ends.some((end) => end === card || end === hovered || end === focused)) return 'near';
      if (near.size > 0) return 'aside';
      if (found === undefined || found.has(key)) return undefined;
      return ends.every((end) => found.has(end)) ? undefined : 'aside';
    },
    isAside(key) {
      if (key === focused) return false;
      return near.size > 0 ? !near.has(key) : found !== undefined && !found.has(key);
    },
  };
}
