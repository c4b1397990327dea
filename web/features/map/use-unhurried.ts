import { useEffect, useRef, useState, useTransition } from 'react';
import type { MapState } from '../../live/map-client.ts';

/** The next state is taken this long after the one before, in milliseconds. */
const INTERVAL_MS = 500;

/**
 * The state to tell in the document: a thousand cards take long to render, so they are rendered in slices, between what a person
 * does, and a rendering that has begun is finished before the next state is taken. Cards that come or go are told at once.
 */
export function useUnhurried(state: MapState): MapState {
  const [told, tell] = useState(state);
  const [isRendering, start] = useTransition();
  const toldAt = useRef(0);
  useEffect(() => {
    if (isRendering || told === state) return;
    const timer = setTimeout(
      () => {
        toldAt.current = performance.now();
        start(() => tell(state));
      },
      Math.max(0, toldAt.current + INTERVAL_MS - performance.now()),
    );
    return () => clearTimeout(timer);
  }, [state, told, isRendering]);
  return told.scene.cards.length === state.scene.cards.length ? told : state;
}
