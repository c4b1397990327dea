import type { Details } from '../graph/details.ts';
import { untilLoaded } from '../ui/late-part.ts';
import type { MapOptions } from '../view/map-options.ts';
import { viewStore } from '../view/view-store.ts';
import type { MapEvent, MapRequest } from '../worker/map-protocol.ts';
import { MapReceiver, type MapState } from '../worker/map-receiver.ts';
import { arrangementStore, followArrangements, unpinAll } from './arrangement.ts';
import { LastingWorker, onScriptFailure, outletOf } from './lasting-worker.ts';
import { replacementStore, send } from './session-client.ts';
import { createStore } from './store.ts';

export type { MapState };

export const sceneStore = createStore<MapState | null>(null);
/** Counts changes of numbers; what changed is in the state's maps. */
export const liveStore = createStore(0);
/** About what is selected. Null until the map's worker has answered; `gone` when it is not on the map. */
export const detailsStore = createStore<Details | 'gone' | null>(null);

const receiver = new MapReceiver();
let worker: LastingWorker<MapRequest, MapEvent> | undefined;
let selected: string | null = null;
let sent: MapOptions | undefined;

/** Starts the map's worker and connects it to the session. */
export function startMap(): void {
  if (worker !== undefined) return;
  worker = new LastingWorker(
    (ears) => {
      // Written as the bundler knows it: the address by itself would be that of the source.
      const own = new Worker(new URL('../worker/map-worker.ts', import.meta.url), {
        type: 'module',
        name: 'waggle-map',
      });
      own.onmessage = (event: MessageEvent<MapEvent>) => ears.hear(event.data);
      onScriptFailure(own, ears.failed);
      return outletOf(own);
    },
    receive,
    // Ports are handed over; all else tells how things are.
    (request) => ('port' in request ? undefined : request.type),
  );
  tellRoom();
  connectFeed();
  replacementStore.subscribe(connectFeed);
  post({ type: 'select', key: selected });
  followArrangements();
  const arrange = () => post({ type: 'arrange', arrangement: arrangementStore.get() });
  const setOptions = () => {
    const options = viewStore.get().view.map;
    if (options === sent) return;
    sent = options;
    post({ type: 'options', options });
  };
  arrangementStore.subscribe(arrange);
  viewStore.subscribe(setOptions);
  const showReach = () => {
    if (!viewStore.get().view.map.reach) return;
    stopWaiting();
    void import('./policy-reach.ts').then(({ followReach }) => followReach((reach) => post({ type: 'reach', reach })));
  };
  const stopWaiting = viewStore.subscribe(showReach);
  setOptions();
  showReach();
  arrange();
}

/** Between the two workers, past this thread. */
function connectFeed(): void {
  const { port1, port2 } = new MessageChannel();
  post({ type: 'feed', port: port1 }, [port1]);
  send({ type: 'map', port: port2 }, [port2]);
}

/** Has the map's worker tell a thread that paints of scenes and numbers. */
export function connectPainter(port: MessagePort): void {
  post({ type: 'painter', port }, [port]);
}

export function selectCard(key: string | null): void {
  selected = key;
  detailsStore.set(null);
  post({ type: 'select', key });
}

/** Lays the map out anew; what was pinned is let go. */
export function tidyMap(): void {
  unpinAll();
  tellRoom();
  post({ type: 'tidy' });
}

/** Pixels of the window that are not the map's, nor the table's under it; less where things stand below each other. */
const CHROME = { wide: [52, 80], narrow: [0, 160] } as const;
/** Pixels of the table on a narrow page, from which only its first rows look out. */
const NARROW_TABLE = 112;
/** Pixels at the map's edges that are kept free for its tools. */
const TOOLS = { width: 48, height: 108 };
/** Pixels of the screen that a card needs to be read, with the ways around it. */
const CARD_PIXELS = 7_500;

/** Alone in a frame the map has all of it, else what is left above the table. */
function tellRoom(): void {
  const isAlone = viewStore.get().view.embed === 'map';
  const narrow = innerWidth < 640;
  const [beside, above] = isAlone ? [0, 0] : narrow ? CHROME.narrow : CHROME.wide;
  const width = innerWidth - beside - TOOLS.width;
  const shared = innerHeight - above;
  const own = isAlone ? shared : narrow ? shared - NARROW_TABLE : shared * 0.6;
  const height = Math.max(1, own - TOOLS.height);
  const aspect = Math.min(2.3, Math.max(0.7, width / height));
  const room = { aspect, narrow, cards: Math.max(8, Math.round((width * height) / CARD_PIXELS)) };
  post({ type: 'room', room });
}

/** What plates say beside what stands on them. */
function afterFirstMap(): void {
  untilLoaded(() => import('./plate-policies.ts')).then(
    ({ followPlatePolicies }) => followPlatePolicies((policed) => post({ type: 'policed', policed })),
    () => {},
  );
}

function post(request: MapRequest, transfer: Transferable[] = []): void {
  worker?.post(request, transfer);
}

function receive(event: MapEvent): void {
  switch (event.type) {
    case 'cleared':
      return;
    case 'details':
      if (event.key === selected) detailsStore.set(event.details ?? 'gone');
      return;
    default: {
      const changed = receiver.hear(event);
      if (changed === 'scene') {
        if (sceneStore.get() === null) afterFirstMap();
        sceneStore.set(receiver.state);
      }
      if (changed === 'live') liveStore.set(liveStore.get() + 1);
    }
  }
}
