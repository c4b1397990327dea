import { useDeferredValue, useMemo } from 'react';
import type { SceneEdge } from '../../graph/scene.ts';
import { liveStore, type MapState } from '../../live/map-client.ts';
import { useThrottled } from '../../ui/use-throttled.ts';
import { edgeLabel } from './card-label.ts';

/** Labels follow the numbers at most this often: a screen reader has no use for more. */
const INTERVAL_MS = 1_000;
/** Those of many cards take a moment to write. */
const LARGE_INTERVAL_MS = 10_000;
const LARGE_CARDS = 150;

/** What cards and arrows are called, with their present numbers. */
export function useLabels(state: MapState) {
  // Written between what a person does.
  const moment = useDeferredValue(
    useThrottled(liveStore, state.scene.cards.length > LARGE_CARDS ? LARGE_INTERVAL_MS : INTERVAL_MS),
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: numbers change in place; the moment says that they did
  const told = useMemo(() => new Map(state.cards), [moment]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as above
  return useMemo(
    () => ({
      /** A card's numbers at that moment: the same object until the next. */
      numbers: (key: string) => told.get(key) ?? state.cards.get(key),
      edge: (edge: SceneEdge) => edgeLabel(edge, state.edges.get(edge.key)),
    }),
    [state, moment],
  );
}
