import { setImmediate as nextTurn } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { all, type RowPredicate } from '#core/filter/algebra.ts';
import { compileFilter, compileNamespaces } from '#core/filter/compile-filter.ts';
import type { Filter } from '#core/filter/filter.ts';
import { splitFilter } from '#core/filter/split-filter.ts';
import { type MapUpdate, type ViewUpdate, ViewUpdateSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { LiveMap, type LiveMapOptions } from '../live-map/live-map.ts';
import type { MergedFlows } from '../relay/merged-flows.ts';
import { HiddenFlows } from './hidden-flows.ts';
import { MatchRing } from './match-ring.ts';

/** Matches a reader may be behind before it loses some. */
const MOST_WAITING_MATCHES = 32_768;
/** Rows looked at without a pause. */
const SLICE_ROWS = 16_384;

export type MapLimits = Pick<LiveMapOptions, 'maxAgeMs' | 'maxCards' | 'maxEdges' | 'replicas' | 'firstSeen'>;

interface OpenMap {
  readonly map: LiveMap;
  /** Resolves when it knows what the window held at first. */
  readonly filled: Promise<void>;
}

/**
 * What one choice of namespaces and filters shows: its matching flows and its map. Shared by everyone who looks at the same,
 * so that each row is judged once.
 */
export class Selection {
  readonly matches: RowPredicate;
  /** What would match if nothing was negated. */
  readonly #shows: RowPredicate;
  readonly #hidden: HiddenFlows;
  #hiddenUpdate: ViewUpdate | undefined;
  #pastHiddenCounted = false;
  readonly ring = new MatchRing(MOST_WAITING_MATCHES);
  readonly #relay: MergedFlows;
  readonly #limits: MapLimits;
  readonly #waiting = new Set<() => void>();
  /** The maps that were asked for: by workload, and by workload and node. */
  readonly #maps: (OpenMap & { readonly perNode: boolean })[] = [];
  /** Messages of the current version, by the version they start from; 0 = a snapshot. */
  readonly #updates = new Map<LiveMap, Map<number, ViewUpdate | undefined>>();
  #closed = false;

  constructor(relay: MergedFlows, namespaces: readonly string[], filter: Filter, limits: MapLimits) {
    this.#relay = relay;
    this.#limits = limits;
    const parts = namespaces.length === 0 ? [] : [compileNamespaces(namespaces, relay.window)];
    const { shows, hides } = splitFilter(filter);
    if (shows.terms.length > 0) parts.push(compileFilter(shows, relay.window));
    this.#shows = all(parts);
    this.#hidden = new HiddenFlows(hides, relay.window);
    this.matches = all(this.#hidden.any ? [...parts, this.#hidden.passes] : parts);
  }

  /** Takes in the window's positions [from, to). */
  rows(from: number, to: number): void {
    const { window } = this.#relay;
    const { columns } = window;
    const before = this.ring.end;
    const now = Date.now();
    for (const { map } of this.#maps) map.beginRows();
    for (let position = from; position < to; position++) {
      const row = window.slot(position);
      if (!this.#shows(columns, row) || this.#hidden.hides(columns, row, now)) continue;
      this.ring.push(position);
      for (const { map } of this.#maps) map.addRow(columns, row);
    }
    if (this.ring.end !== before) for (const wake of this.#waiting) wake();
  }

  /** Calls back whenever there are new matches. Returns the function that ends it. */
  onMatches(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  /** The map, once it knows the flows the window held when it was first asked for. */
  async openMap({ perNode = false } = {}): Promise<LiveMap> {
    let open = this.#maps.find((each) => each.perNode === perNode);
    if (open === undefined) {
      const { endpoints, layer7 } = this.#relay.window;
      const observes = (cluster: string, node: string) => this.#relay.observes(cluster, node);
      const map = new LiveMap({ endpoints, layer7, observes, perNode, ...this.#limits });
      open = { perNode, map, filled: this.#fill(map) };
      this.#maps.push(open);
    }
    await open.filled;
    return open.map;
  }

  /** Closes the map's version. */
  tick(): void {
    for (const { map } of this.#maps) map.tick();
    this.#updates.clear();
    this.#hiddenUpdate = undefined;
  }

  /** What the filter's negated tokens hide; undefined when there are none. */
  hidden(): ViewUpdate | undefined {
    if (!this.#hidden.any) return undefined;
    this.#hiddenUpdate ??= create(ViewUpdateSchema, { hidden: this.#hidden.message() });
    return this.#hiddenUpdate;
  }

  /** The whole map as of its last version. */
  mapSnapshot(map: LiveMap): ViewUpdate {
    return this.#update(map, 0, () => map.snapshot())!;
  }

  /** What changed on the map since that version; undefined for nothing. */
  mapChanges(map: LiveMap, since: number): ViewUpdate | undefined {
    return this.#update(map, since, () => map.changesSince(since));
  }

  close(): void {
    this.#closed = true;
    this.#waiting.clear();
  }

  #update(map: LiveMap, since: number, make: () => MapUpdate | undefined): ViewUpdate | undefined {
    let ofMap = this.#updates.get(map);
    if (ofMap === undefined) {
      ofMap = new Map();
      this.#updates.set(map, ofMap);
    }
    if (!ofMap.has(since)) {
      const update = make();
      ofMap.set(since, update && create(ViewUpdateSchema, { map: update }));
    }
    return ofMap.get(since);
  }

  /** Newest first: what is on the map soonest is what matters most. */
  async #fill(map: LiveMap): Promise<void> {
    const { window } = this.#relay;
    const { columns } = window;
    // One map's look at the past is enough to count what is hidden there.
    const counts = this.#hidden.any && !this.#pastHiddenCounted;
    this.#pastHiddenCounted = true;
    let to = window.end;
    while (to > window.start && !this.#closed) {
      const from = Math.max(window.start, to - SLICE_ROWS);
      map.beginRows();
      let row = window.slot(to);
      for (let position = to - 1; position >= from; position--) {
        row = row === 0 ? window.capacity - 1 : row - 1;
        if (counts) {
          if (this.#shows(columns, row) && !this.#hidden.hidesPast(columns, row)) map.addRow(columns, row);
        } else if (this.matches(columns, row)) {
          map.addRow(columns, row);
        }
      }
      to = from;
      await nextTurn();
    }
    map.tick();
  }
}
