import { setImmediate as nextTurn } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { all, type RowPredicate } from '#core/filter/algebra.ts';
import { compileFilter, compileNamespaces } from '#core/filter/compile-filter.ts';
import type { Filter } from '#core/filter/filter.ts';
import { type MapUpdate, type ViewUpdate, ViewUpdateSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { LiveMap, type LiveMapOptions } from '../live-map/live-map.ts';
import type { Relay } from '../relay/relay.ts';
import { MatchRing } from './match-ring.ts';

/** Matches a reader may be behind before it loses some. */
const MOST_WAITING_MATCHES = 32_768;
/** Rows looked at without a pause. */
const SLICE_ROWS = 16_384;

export type MapLimits = Pick<LiveMapOptions, 'maxAgeMs' | 'maxCards' | 'maxEdges'>;

/**
 * What one choice of namespaces and filters shows: its matching flows and its map. Shared by everyone who looks at the same,
 * so that each row is judged once.
 */
export class Selection {
  readonly matches: RowPredicate;
  readonly ring = new MatchRing(MOST_WAITING_MATCHES);
  readonly #relay: Relay;
  readonly #limits: MapLimits;
  readonly #waiting = new Set<() => void>();
  #map: LiveMap | undefined;
  #mapFilled: Promise<void> | undefined;
  /** Messages of the current version, by the version they start from; 0 = a snapshot. */
  readonly #updates = new Map<number, ViewUpdate | undefined>();
  #closed = false;

  constructor(relay: Relay, namespaces: readonly string[], filter: Filter, limits: MapLimits) {
    this.#relay = relay;
    this.#limits = limits;
    const parts = namespaces.length === 0 ? [] : [compileNamespaces(namespaces, relay.window)];
    if (filter.terms.length > 0) parts.push(compileFilter(filter, relay.window));
    this.matches = all(parts);
  }

  /** Takes in the window's positions [from, to). */
  rows(from: number, to: number): void {
    const { window } = this.#relay;
    const { columns } = window;
    const before = this.ring.end;
    this.#map?.beginRows();
    for (let position = from; position < to; position++) {
      const row = window.slot(position);
      if (!this.matches(columns, row)) continue;
      this.ring.push(position);
      this.#map?.addRow(columns, row);
    }
    if (this.ring.end !== before) for (const wake of this.#waiting) wake();
  }

  /** Calls back whenever there are new matches. Returns the function that ends it. */
  onMatches(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }

  /** The map, once it knows the flows the window held when it was first asked for. */
  async openMap(): Promise<LiveMap> {
    if (this.#map === undefined) {
      const { endpoints } = this.#relay.window;
      const observes = (cluster: string, node: string) => this.#relay.observes(cluster, node);
      this.#map = new LiveMap({ endpoints, observes, ...this.#limits });
      this.#mapFilled = this.#fill(this.#map);
    }
    await this.#mapFilled;
    return this.#map;
  }

  /** Closes the map's version. */
  tick(): void {
    this.#map?.tick();
    this.#updates.clear();
  }

  /** The whole map as of its last version. */
  mapSnapshot(map: LiveMap): ViewUpdate {
    return this.#update(0, () => map.snapshot())!;
  }

  /** What changed on the map since that version; undefined for nothing. */
  mapChanges(map: LiveMap, since: number): ViewUpdate | undefined {
    return this.#update(since, () => map.changesSince(since));
  }

  close(): void {
    this.#closed = true;
    this.#waiting.clear();
  }

  #update(since: number, make: () => MapUpdate | undefined): ViewUpdate | undefined {
    if (!this.#updates.has(since)) {
      const map = make();
      this.#updates.set(since, map && create(ViewUpdateSchema, { map }));
    }
    return this.#updates.get(since);
  }

  /** Newest first: what is on the map soonest is what matters most. */
  async #fill(map: LiveMap): Promise<void> {
    const { window } = this.#relay;
    let to = window.end;
    while (to > window.start && !this.#closed) {
      const from = Math.max(window.start, to - SLICE_ROWS);
      map.beginRows();
      for (let position = to - 1; position >= from; position--) {
        const row = window.slot(position);
        if (this.matches(window.columns, row)) map.addRow(window.columns, row);
      }
      to = from;
      await nextTurn();
    }
    map.tick();
  }
}
