import { memo, Suspense, useEffect, useSyncExternalStore } from 'react';
import { sceneStore, selectCard, startMap } from '../../live/map-client.ts';
import { ErrorEdge } from '../../ui/error-edge.tsx';
import { latePart } from '../../ui/late-part.ts';
import { Split } from '../../ui/split.tsx';
import { useMedia } from '../../ui/use-media.ts';
import { whenIdle } from '../../ui/when-idle.ts';
import { useView } from '../../view/view-store.ts';
import { Notices, Waiting } from '../status/notices.tsx';
import { StatusBar as PlainStatusBar } from '../status/status-bar.tsx';
import { useObstacle } from '../status/use-obstacle.ts';
import { Dialogs } from './dialogs.tsx';
import { Rail as PlainRail } from './rail.tsx';
import { TopBar as PlainTopBar } from './top-bar.tsx';
import { useSelection } from './use-selection.ts';
import { watch } from './watch.ts';

// Parts ask for what they show: that the page is drawn anew is no reason for any of them.
const MapView = memo(latePart(() => import('../map/map-view.tsx').then(({ MapView }) => MapView)));
const CardList = memo(latePart(() => import('../list/card-list.tsx').then(({ CardList }) => CardList)));
const Toasts = memo(latePart(() => import('../status/toasts.tsx').then(({ Toasts }) => Toasts)));
const Obstacle = memo(latePart(() => import('../status/obstacle.tsx').then(({ Obstacle }) => Obstacle)));
const PoliciesPage = memo(
  latePart(() => import('../policies/policies-page.tsx').then(({ PoliciesPage }) => PoliciesPage)),
);
const ServicesPage = memo(
  latePart(() => import('../services/services-page.tsx').then(({ ServicesPage }) => ServicesPage)),
);
const FlowTable = memo(latePart(() => import('../flows/flow-table.tsx').then(({ FlowTable }) => FlowTable)));
const LateDetailsPanel = latePart(() =>
  import('../details/details-panel.tsx').then(({ DetailsPanel }) => DetailsPanel),
);
const DetailsPanel = memo(LateDetailsPanel);
const StatusBar = memo(PlainStatusBar);
const Rail = memo(PlainRail);
const TopBar = memo(PlainTopBar);

/** Too narrow for map and table to share the page evenly; `tellRoom` of the map's client knows it too. */
const SMALL = '(max-width: 639px)';
/** Its bar, its header and two rows, in pixels. */
const SMALL_TABLE = 112;

/** The whole page: one calm frame around map, table and panel. */
export function Page() {
  const view = useView();
  const { select, mode, embed } = view;
  const narrow = useMedia('(max-width: 860px)');
  const small = useMedia(SMALL);
  const selection = useSelection(select);
  const isMapKnown = useSyncExternalStore(sceneStore.subscribe, () => sceneStore.get() !== null);
  useEffect(() => watch(view), [view]);
  useEffect(startMap, []);
  // The first click on a map is on a card or an arrow.
  const hasPanel = isMapKnown && embed === null;
  useEffect(() => (hasPanel ? whenIdle(LateDetailsPanel.preload) : undefined), [hasPanel]);
  useEffect(() => selectCard(select), [select]);
  const obstacle = useObstacle();
  const instead = obstacle !== null && (
    <ErrorEdge part="The page">
      <Suspense fallback={null}>
        <Obstacle state={obstacle} />
      </Suspense>
    </ErrorEdge>
  );

  const table = (
    <ErrorEdge part="The table">
      <Suspense fallback={<Waiting>Loading the table</Waiting>}>
        <FlowTable selection={selection} />
      </Suspense>
    </ErrorEdge>
  );
  const panel =
    select === null || obstacle !== null || mode === 'policies' || mode === 'services' ? null : (
      <ErrorEdge key={select} part="The panel">
        <Suspense fallback={<Waiting>Loading</Waiting>}>
          <DetailsPanel />
        </Suspense>
      </ErrorEdge>
    );
  const upper = (
    <ErrorEdge key={mode} part={mode === 'list' ? 'The list' : 'The map'}>
      <Suspense fallback={<Waiting>Loading the map</Waiting>}>{mode === 'list' ? <CardList /> : <MapView />}</Suspense>
    </ErrorEdge>
  );
  if (embed !== null) {
    return (
      <div className="flex h-full flex-col">
        <Notices />
        <main className="relative min-h-0 flex-1">
          <h1 className="sr-only">{`Waggle: ${embed === 'table' ? 'flows' : 'service map'}`}</h1>
          {instead || (embed === 'table' ? table : upper)}
        </main>
      </div>
    );
  }
  const center =
    instead || mode === 'table' ? (
      instead || table
    ) : mode === 'policies' ? (
      <ErrorEdge part="The page of policies">
        <Suspense fallback={<Waiting>Loading policies</Waiting>}>
          <PoliciesPage />
        </Suspense>
      </ErrorEdge>
    ) : mode === 'services' ? (
      <ErrorEdge part="The page of Services">
        <Suspense fallback={<Waiting>Loading Services</Waiting>}>
          <ServicesPage />
        </Suspense>
      </ErrorEdge>
    ) : (
      <Split
        key={small ? 'small' : 'large'}
        name={small ? 'table-small' : 'table'}
        label="Height of the flow table"
        direction="column"
        // A third, so that on a small screen the map keeps its share; on a very small one its first rows look out from below.
        initial={small ? SMALL_TABLE : Math.min(300, Math.round(innerHeight / 3))}
        least={92}
        first={upper}
        second={table}
      />
    );
  return (
    <div className="flex h-full flex-col [@media(max-height:419px)]:min-h-[640px]">
      <TopBar />
      <Notices />
      <div className="relative flex min-h-0 flex-1 max-sm:flex-col">
        <Rail />
        <main className="relative min-h-0 min-w-0 flex-1">
          {narrow ? (
            <>
              {center}
              {panel !== null && (
                <div className="absolute inset-y-0 right-0 z-30 w-[min(360px,100%)] border-l border-line shadow-[var(--shadow)] max-sm:w-full max-sm:border-l-0">
                  {panel}
                </div>
              )}
            </>
          ) : (
            <Split
              name="panel"
              label="Width of the details"
              direction="row"
              initial={328}
              least={260}
              first={center}
              second={panel}
            />
          )}
        </main>
      </div>
      <StatusBar />
      {isMapKnown && (
        <ErrorEdge part="Notifications" instead={null}>
          <Suspense fallback={null}>
            <Toasts />
          </Suspense>
        </ErrorEdge>
      )}
      <Dialogs />
    </div>
  );
}
