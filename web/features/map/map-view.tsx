import { useEffect, useRef, useState } from 'react';
import type { SceneEdge } from '../../graph/scene.ts';
import { foldPlate } from '../../live/arrangement.ts';
import { liveStore, sceneStore } from '../../live/map-client.ts';
import { connectionStore } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { themeStore } from '../../theme/theme.ts';
import { useView } from '../../view/view-store.ts';
import { Waiting } from '../status/notices.tsx';
import { CardTree } from './card-tree.tsx';
import { chooseCard } from './choose-card.ts';
import { EdgeTooltip } from './edge-tooltip.tsx';
import { forgetFits } from './fit-text.ts';
import { MapCanvas } from './map-canvas.ts';
import { Legend, MapControls } from './map-controls.tsx';

/** The service map. */
export function MapView() {
  const { select } = useView();
  const state = useStore(sceneStore);
  const frame = useRef<HTMLDivElement>(null);
  const tree = useRef<HTMLDivElement>(null);
  const canvas = useRef<MapCanvas | null>(null);
  const [hover, setHover] = useState<{ edge: SceneEdge; at: { x: number; y: number } } | null>(null);

  useEffect(() => {
    const drawn = new MapCanvas(frame.current!, {
      select: chooseCard,
      fold: (plate) => foldPlate(plate, true),
      hover: (edge, at) => setHover(edge === null ? null : { edge, at }),
      viewport: (pan, zoom) => {
        if (tree.current !== null) tree.current.style.transform = `translate(${pan.x}px, ${pan.y}px) scale(${zoom})`;
        setHover(null);
      },
    });
    canvas.current = drawn;
    const stopLive = liveStore.subscribe(() => drawn.liveChanged());
    const stopTheme = themeStore.subscribe(() => drawn.themeChanged());
    // Canvas text is measured with whatever font is there: once the page's own have come, draw again.
    void document.fonts.ready.then(() => {
      forgetFits();
      if (canvas.current === drawn) drawn.liveChanged();
    });
    return () => {
      stopLive();
      stopTheme();
      drawn.destroy();
      canvas.current = null;
    };
  }, []);
  useEffect(() => {
    if (state !== null) canvas.current?.setState(state);
  }, [state]);
  useEffect(() => canvas.current?.setSelected(select), [select]);

  return (
    <section aria-label="Map" className="relative size-full overflow-hidden bg-canvas">
      <div ref={frame} className="absolute inset-0" />
      {state !== null && (
        <CardTree state={state} selected={select} frame={tree} onFocus={(key) => canvas.current?.setFocused(key)} />
      )}
      {hover !== null && (
        <EdgeTooltip
          edge={hover.edge}
          live={state?.edges.get(hover.edge.key)}
          at={hover.at}
          width={frame.current?.clientWidth ?? 800}
        />
      )}
      {(state === null || state.scene.cards.length === 0) && <Empty />}
      <Legend />
      <MapControls canvas={() => canvas.current} />
    </section>
  );
}

function Empty() {
  const live = useStore(connectionStore).phase === 'live';
  const { namespaces, filter, verdict } = useView();
  const narrowed = namespaces.length + filter.length > 0 || verdict !== 'all';
  return (
    <div className="pointer-events-none absolute inset-0 flex items-center justify-center">
      {live ? (
        <div className="max-w-sm text-center">
          <p className="text-base">{narrowed ? 'Nothing matches this view' : 'Nobody has talked yet'}</p>
          <p className="mt-1 text-sm text-dim">
            {narrowed
              ? 'Cards appear when a flow matches. Remove a filter to see more.'
              : 'A card appears for each workload with its first flow.'}
          </p>
        </div>
      ) : (
        <Waiting>Waiting for the map</Waiting>
      )}
    </div>
  );
}
