import { create } from '@bufbuild/protobuf';
import {
  type ListNamespacesResponse,
  type ViewService,
  type ViewUpdate,
  ViewUpdateSchema,
  type WatchRequest,
} from '#proto/gen/waggle/v1/view_pb.ts';
import type { CallContext, Handlers } from '#runtime/grpc/service.ts';
import type { LiveMap } from '../live-map/live-map.ts';
import type { MergedFlows } from '../relay/merged-flows.ts';
import { Crowd } from './crowd.ts';
import { describe } from './describe.ts';
import { encodedUpdate } from './encoded-update.ts';
import { findFlow } from './find-flow.ts';
import { FlowTail } from './flow-tail.ts';
import { listValues } from './list-values.ts';
import { readSelection } from './read-selection.ts';
import type { Selection } from './selection.ts';
import { MAP_TICK_MS, type Selections } from './selections.ts';
import type { StatusBoard } from './status-board.ts';
import { WakeUp } from './wake-up.ts';

const STATUS_EVERY_MS = 1_000;
/** How soon a new version of the map is noticed. */
const LOOK_EVERY_MS = 50;
/** Past flows a view may begin with. */
const MOST_LAST = 65_536;

export interface Rotation {
  /** A stream ends when it has sent that much: dictionaries only grow, and a client in text mode keeps all until the end. */
  readonly bytes: number;
  readonly ageMs: number;
}

const DEFAULT_ROTATION: Rotation = { bytes: 8 * 1024 * 1024, ageMs: 10 * 60_000 };

export interface ViewDependencies {
  readonly relay: MergedFlows;
  readonly selections: Selections;
  readonly status: StatusBoard;
  readonly namespaces: { list(): ListNamespacesResponse };
  readonly rotation?: Rotation;
  readonly crowd?: Crowd;
  /** Hears of flows a viewer was too slow to take. */
  readonly onMissed?: (flows: number) => void;
}

/** What browsers ask. */
export function viewHandlers(dependencies: ViewDependencies): Handlers<typeof ViewService> {
  return {
    watch: (request, context) => watch(dependencies, request, context),
    listNamespaces: async () => dependencies.namespaces.list(),
    listValues: (request, { signal }) => listValues(dependencies.relay, request, signal),
    describe: (request, { signal }) => describe(dependencies.relay, request, signal),
    getFlow: (request) => findFlow(dependencies.relay.window, request),
    status: async () => dependencies.status.current(),
  };
}

async function* watch(
  { relay, selections, status, rotation = DEFAULT_ROTATION, crowd = new Crowd(), onMissed }: ViewDependencies,
  request: WatchRequest,
  { signal }: CallContext,
): AsyncGenerator<ViewUpdate> {
  const { namespaces, filter } = readSelection(request);
  const { selection, release } = selections.acquire(namespaces, filter);
  const wakeUp = new WakeUp(signal);
  const leave = request.flows ? selection.onMatches(wakeUp.call) : () => {};
  let tail: FlowTail | undefined;
  let missed = 0;
  crowd.streams++;
  try {
    if (request.flows) {
      const last = Math.min(request.last, MOST_LAST);
      tail = await FlowTail.open(relay, selection, { cursor: request.cursor, last });
      // What was asked for last is looked at first: the map takes longer to know what the window holds.
      if (request.map) yield create(ViewUpdateSchema, { flows: tail.take() });
    }
    const map = request.map
      ? new MapReader(selection, await selection.openMap({ perNode: request.perNode }))
      : undefined;
    const startedMs = performance.now();
    let bytes = 0;
    let statusAt = startedMs;
    let flowsAt = startedMs;
    let heartbeatAt = startedMs;
    while (!signal.aborted) {
      const now = performance.now();
      const due: ViewUpdate[] = [];
      const changes = map?.take(now);
      if (changes !== undefined) due.push(changes);
      if (tail !== undefined && now >= flowsAt && (tail.pending || now >= heartbeatAt)) {
        due.push(create(ViewUpdateSchema, { flows: tail.take() }));
        // What has gathered goes out as fast as the reader takes it; what comes in, in batches.
        flowsAt = tail.pendingPast ? now : now + crowd.flowsEveryMs;
        heartbeatAt = now + STATUS_EVERY_MS;
        if (tail.missedTotal > missed) onMissed?.(tail.missedTotal - missed);
        missed = tail.missedTotal;
      }
      if (now >= statusAt) {
        due.push(status.update());
        const hidden = selection.hidden();
        if (hidden !== undefined) due.push(hidden);
        statusAt = now + STATUS_EVERY_MS;
      }
      for (const update of due) {
        bytes += encodedUpdate(update).length;
        yield update;
      }
      if (bytes > rotation.bytes || now - startedMs > rotation.ageMs) {
        // With the position, which may have moved on without a flow for this view.
        yield create(ViewUpdateSchema, { flows: tail?.take(), rotate: true });
        return;
      }
      const waiting = tail?.pending ?? false;
      const next = Math.min(statusAt, map?.nextAt ?? statusAt, waiting ? flowsAt : statusAt);
      await wakeUp.wait(next - performance.now(), tail !== undefined && !waiting);
    }
  } finally {
    crowd.streams--;
    leave();
    release();
  }
}

/** One stream's place in the versions of a map. */
class MapReader {
  readonly #selection: Selection;
  readonly #map: LiveMap;
  /** The last version it has; undefined before the snapshot. */
  #version: number | undefined;
  nextAt = 0;

  constructor(selection: Selection, map: LiveMap) {
    this.#selection = selection;
    this.#map = map;
  }

  take(now: number): ViewUpdate | undefined {
    if (now < this.nextAt) return undefined;
    const closed = this.#map.version - 1;
    const since = this.#version;
    // Versions close at their own beat; a look is cheap.
    this.nextAt = now + (since === closed ? LOOK_EVERY_MS : MAP_TICK_MS - LOOK_EVERY_MS);
    if (since === closed) return undefined;
    this.#version = closed;
    if (since === undefined) return this.#selection.mapSnapshot(this.#map);
    return this.#selection.mapChanges(this.#map, since);
  }
}
