import type { LossSource } from '#proto/gen/waggle/v1/flow_pb.ts';
import type { ViewUpdate } from '#proto/gen/waggle/v1/view_pb.ts';
import { FlowStore } from './flow-store.ts';
import { MapStore } from './map-store.ts';
import { milliseconds } from './milliseconds.ts';
import type {
  ConnectionState,
  HiddenCount,
  MapMessage,
  RowsQuery,
  SessionMessage,
  StatusSummary,
  StreamView,
} from './protocol.ts';
import { statusSummary } from './status-summary.ts';
import { WatchStream } from './stream.ts';
import { Throttle } from './throttle.ts';

/** A tab as its view sees it. */
export interface Viewer {
  rows: RowsQuery | null;
  /** Whether rows were sent that are not on the screen yet, and whether there are newer ones by now. */
  drawing: 'no' | 'yes' | 'outdated';
  /** The rows that were sent last. */
  told?: { readonly query: RowsQuery; readonly edition: string | undefined; readonly at: number };
  /** Whether a person can see it. */
  readonly visible: boolean;
  send(message: SessionMessage): void;
  sendMap(message: MapMessage): void;
}

/** Tables hear of new rows at most this often; less often where it takes long to draw them. */
const ROWS_INTERVAL_MS = 30;
/** A table that holds still is told how many flows came at most this often. */
const HELD_INTERVAL_MS = 250;
/** Rows that are the same are told again after so many milliseconds. */
const TOLD_ANEW_MS = 1_000;

/** One view with its stream and stores, shared by the tabs that show it. */
export class WatchedView {
  flows = new FlowStore();
  #map = new MapStore();
  readonly #stream: WatchStream;
  readonly #viewers = new Set<Viewer>();
  readonly #viewLosses = new Map<LossSource, number>();
  #state: ConnectionState = { phase: 'connecting' };
  #status: StatusSummary | undefined;
  #clockAhead = 0;
  #hidden: readonly HiddenCount[] = [];
  #later: ReturnType<typeof setTimeout> | undefined;
  readonly #rows = new Throttle(ROWS_INTERVAL_MS, () => {
    for (const viewer of this.#viewers) {
      // A tab that is slow at drawing gets fewer, not later ones.
      if (viewer.drawing !== 'no') viewer.drawing = 'outdated';
      else if (this.#isNews(viewer)) this.sendRows(viewer);
    }
  });

  constructor(base: string, view: StreamView) {
    this.#stream = new WatchStream(base, view, {
      begin: () => this.flows.beginStream(),
      update: (update) => this.#update(update),
      state: (state) => this.#setState(state),
    });
    this.#stream.open();
  }

  join(viewer: Viewer): void {
    this.#viewers.add(viewer);
    // Whoever was refused may have signed in on the way.
    this.#stream.retryNow();
    viewer.send({ type: 'connection', state: this.#state });
    if (this.#status !== undefined) viewer.send({ type: 'status', status: this.#status });
    viewer.send({ type: 'hidden', hidden: this.#hidden });
    viewer.sendMap({ type: 'reset' });
    this.sendMapSnapshot(viewer);
    this.sendRows(viewer);
  }

  /** Returns whether anyone is left. */
  leave(viewer: Viewer): boolean {
    this.#viewers.delete(viewer);
    return this.#viewers.size > 0;
  }

  /** A tab that nobody sees is not told: it is when it comes back. */
  sendRows(viewer: Viewer): void {
    if (viewer.rows === null || !viewer.visible) return;
    viewer.drawing = 'yes';
    viewer.send({ type: 'rows', slice: this.flows.slice(viewer.rows, viewer) });
    viewer.told = {
      query: viewer.rows,
      edition: this.flows.edition(viewer.rows, viewer),
      at: performance.now(),
    };
  }

  /** Whether its table shows something else by now; what is known of the ends of its flows may be after a while. */
  #isNews(viewer: Viewer): boolean {
    const { rows, told } = viewer;
    if (rows === null || told?.query !== rows) return true;
    const ago = performance.now() - told.at;
    if (ago >= TOLD_ANEW_MS) return true;
    if (rows.anchor !== null && ago < HELD_INTERVAL_MS) {
      this.#later ??= setTimeout(() => {
        this.#later = undefined;
        this.#rows.request();
      }, HELD_INTERVAL_MS - ago);
      return false;
    }
    const edition = this.flows.edition(rows, viewer);
    return edition === undefined || edition !== told.edition;
  }

  /** What was sent to a tab is on its screen. */
  drawn(viewer: Viewer): void {
    const outdated = viewer.drawing === 'outdated';
    viewer.drawing = 'no';
    if (outdated) this.#rows.request();
  }

  /** Whether anyone can see it. */
  get visible(): boolean {
    return this.#viewers.values().some(({ visible }) => visible);
  }

  /** Gives its connection back; flows and position stay. */
  rest(): void {
    this.#stream.rest();
  }

  wake(): void {
    this.#stream.wake();
  }

  sendMapSnapshot(viewer: Viewer): void {
    if (this.#map.known) viewer.sendMap({ type: 'delta', delta: this.#map.snapshot() });
  }

  retryNow(): void {
    this.#stream.retryNow();
  }

  close(): void {
    this.#stream.close();
    this.#rows.stop();
    clearTimeout(this.#later);
  }

  /** What somebody saw who may not any more is not for whoever comes after them. */
  #forget(): void {
    this.flows = new FlowStore();
    this.#map = new MapStore();
    this.#viewLosses.clear();
    this.#status = undefined;
    this.#hidden = [];
    for (const viewer of this.#viewers) {
      viewer.sendMap({ type: 'reset' });
      this.sendRows(viewer);
    }
  }

  #update(update: ViewUpdate): void {
    if (update.flows !== undefined) {
      // A batch that cannot be read is asked for again: until it can, nothing of it counts.
      if (update.flows.columns.length > 0) this.flows.push(update.flows);
      for (const { source, count } of update.flows.losses) {
        this.#viewLosses.set(source, (this.#viewLosses.get(source) ?? 0) + Number(count));
      }
      if (update.flows.rows > 0) this.#rows.request();
    }
    if (update.map !== undefined) {
      if (update.map.time !== undefined) this.#clockAhead = milliseconds(update.map.time) - Date.now();
      const delta = this.#map.apply(update.map);
      for (const viewer of this.#viewers) viewer.sendMap({ type: 'delta', delta });
    }
    if (update.hidden !== undefined) {
      this.#hidden = update.hidden.tokens.map(({ token, flows, flowsPerSecond }) => ({
        token,
        flows: Number(flows),
        flowsPerSecond,
      }));
      for (const viewer of this.#viewers) viewer.send({ type: 'hidden', hidden: this.#hidden });
    }
    if (update.status !== undefined) {
      const status = statusSummary(update.status, this.#viewLosses, this.#clockAhead);
      this.#status = status;
      for (const viewer of this.#viewers) viewer.send({ type: 'status', status });
    }
  }

  #setState(state: ConnectionState): void {
    if (state.phase === 'live' && this.#state.phase === 'live') return;
    this.#state = state;
    if (state.phase === 'refused' && state.reason !== 'filter') this.#forget();
    for (const viewer of this.#viewers) viewer.send({ type: 'connection', state });
  }
}
