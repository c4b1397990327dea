import { Suspense, useEffect, useRef, useState, useSyncExternalStore } from 'react';
import type { SceneEdge } from '../../graph/scene.ts';
import { foldPlate, pinCards } from '../../live/arrangement.ts';
import { detailsStore, liveStore, sceneStore } from '../../live/map-client.ts';
import { useStore } from '../../live/store.ts';
import { themeStore } from '../../theme/theme.ts';
import { latePart } from '../../ui/late-part.ts';
import { pairKey } from '../../view/pair.ts';
import { useView } from '../../view/view-store.ts';
import { CardTree, type TreeTarget } from './card-tree.tsx';
import { chooseCard, focusCard } from './choose-card.ts';
import { EmptyMap } from './empty-map.tsx';
import { forgetFits } from './fit-text.ts';
import { Legend } from './legend.tsx';
import { registerMapActions } from './map-actions.ts';
import { MapCanvas } from './map-canvas.ts';
import { MapControls } from './map-controls.tsx';
import { mapKey } from './map-keys.ts';
import { MapToolbar } from './map-toolbar.tsx';
import { shownSelection } from './shown-selection.ts';

// Not of the first map: that is drawn before anything is pointed at.
const EdgeTooltip = latePart(() => import('./edge-tooltip.tsx').then(({ EdgeTooltip }) => EdgeTooltip));

/** The service map. */
export function MapView() {
  const { select, map, namespaces } = useView();
  const state = useStore(sceneStore);
  const section = useRef<HTMLElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const tree = useRef<HTMLDivElement>(null);
  const canvas = useRef<MapCanvas | null>(null);
  const [hover, setHover] = useState<{ edge: SceneEdge; at: { x: number; y: number } } | null>(null);

  useEffect(() => {
    const drawn = new MapCanvas(frame.current!, {
      select: chooseCard,
      focus: focusCard,
      fold: (plate) => foldPlate(plate, true),
      moved: pinCards,
      hover: (edge, at) => setHover(edge === null ? null : { edge, at }),
      viewport: (pan, zoom) => {
        if (tree.current !== null) tree.current.style.transform = `translate(${pan.x}px, ${pan.y}px) scale(${zoom})`;
        setHover(null);
      },
    });
    canvas.current = drawn;
    const removeActions = registerMapActions(
      () => canvas.current,
      () => section.current!.querySelector('input'),
    );
    const stopLive = liveStore.subscribe(() => drawn.liveChanged());
    const stopTheme = themeStore.subscribe(() => drawn.themeChanged());
    // Canvas text is measured with whatever font is there: once the page's own have come, draw again.
    void document.fonts.ready.then(() => {
      forgetFits();
      if (canvas.current === drawn) drawn.liveChanged();
    });
    return () => {
      removeActions();
      stopLive();
      stopTheme();
      drawn.destroy();
      canvas.current = null;
    };
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: these make another picture
  useEffect(() => canvas.current?.forgetViewport(), [map.group, map.focus, map.hops, namespaces]);
  useEffect(() => {
    if (state !== null) canvas.current?.setState(state);
  }, [state]);
  // Details come every second; what is marked hardly ever changes.
  const shown = useSyncExternalStore(detailsStore.subscribe, () =>
    shownSelection(select, state, detailsStore.get(), map.group),
  );
  useEffect(() => canvas.current?.setSelected(shown), [shown]);

  const choose = (target: TreeTarget) => {
    if (target.kind === 'plate') foldPlate(target.key, true);
    else if (target.kind === 'card') chooseCard(target.key);
    else {
      const edge = state?.scene.edges.find(({ key }) => key === target.key);
      if (edge !== undefined) chooseCard(pairKey(edge));
    }
  };
  return (
    <section
      ref={section}
      aria-label="Map"
      className="relative size-full overflow-hidden bg-canvas"
      // The browser scrolls to what gets the focus; here the map itself moves.
      onScroll={(event) => event.currentTarget.scrollTo(0, 0)}
    >
      <div ref={frame} className="absolute inset-0" />
      {state !== null && (
        <CardTree
          state={state}
          selected={shown}
          frame={tree}
          onFocus={(target) => canvas.current?.setFocused(target?.key ?? null)}
          onChoose={choose}
          onKey={(event, target) => mapKey(event, target, canvas.current)}
        />
      )}
      {hover !== null && (
        <Suspense fallback={null}>
          <EdgeTooltip edge={hover.edge} live={state?.edges.get(hover.edge.key)} at={hover.at} frame={frame.current} />
        </Suspense>
      )}
      {(state === null || state.scene.cards.length === 0) && <EmptyMap />}
      <Legend />
      <MapToolbar onReveal={(key) => canvas.current?.reveal(key, true)} shown={() => canvas.current?.shown ?? null} />
      <MapControls canvas={() => canvas.current} />
    </section>
  );
}
