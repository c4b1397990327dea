import type { Filter } from '#core/filter/filter.ts';
import { filterKey } from '#core/filter/print-filter.ts';
import { Code, StatusError } from '#runtime/grpc/service.ts';
import { FirstSeen } from '../live-map/first-seen.ts';
import type { MergedFlows } from '../relay/merged-flows.ts';
import { type MapLimits, Selection } from './selection.ts';

/** How often maps close a version, at most: what a viewer is told per second. */
export const MAP_TICK_MS = 250;
/** How long a selection nobody looks at is kept up to date: reconnecting viewers find their map. */
const KEEP_MS = 15_000;
/** Distinct selections at once; each holds about half a megabyte. */
const MOST_SELECTIONS = 512;

interface Held {
  readonly selection: Selection;
  readers: number;
  /** When its last reader left. */
  leftMs: number;
}

/** The selections in use: one per distinct choice. */
export class Selections {
  readonly #relay: MergedFlows;
  readonly #limits: MapLimits;
  readonly #held = new Map<string, Held>();
  readonly #ticker: NodeJS.Timeout;
  readonly #leaveRelay: () => void;

  constructor(relay: MergedFlows, limits: MapLimits = {}) {
    this.#relay = relay;
    const firstSeen = new FirstSeen(relay.window);
    this.#limits = { firstSeen, ...limits };
    this.#leaveRelay = relay.onRows((from, to) => {
      firstSeen.rows(from, to);
      for (const { selection } of this.#held.values()) selection.rows(from, to);
    });
    this.#ticker = setInterval(() => this.#tick(), MAP_TICK_MS);
    this.#ticker.unref();
  }

  get size(): number {
    return this.#held.size;
  }

  /** Call `release` once, when done. */
  acquire(namespaces: readonly string[], filter: Filter): { selection: Selection; release(): void } {
    const key = `${[...new Set(namespaces)].sort().join()}\n${filterKey(filter)}`;
    let held = this.#held.get(key);
    if (held === undefined) {
      this.#makeRoom();
      held = { selection: new Selection(this.#relay, namespaces, filter, this.#limits), readers: 0, leftMs: 0 };
      this.#held.set(key, held);
    }
    held.readers++;
    const { selection } = held;
    let released = false;
    return {
      selection,
      release: () => {
        if (released) return;
        released = true;
        held.readers--;
        held.leftMs = Date.now();
      },
    };
  }

  /** Abandoned selections go first; when all are in use, the newcomer has to wait. */
  #makeRoom(): void {
    if (this.#held.size < MOST_SELECTIONS) return;
    for (const [key, { selection, readers }] of this.#held) {
      if (readers > 0) continue;
      selection.close();
      this.#held.delete(key);
      return;
    }
    throw new StatusError(
      Code.RESOURCE_EXHAUSTED,
      `${MOST_SELECTIONS} different views are open; close one and try again`,
    );
  }

  close(): void {
    clearInterval(this.#ticker);
    this.#leaveRelay();
    for (const { selection } of this.#held.values()) selection.close();
    this.#held.clear();
  }

  #tick(): void {
    const now = Date.now();
    for (const [key, { selection, readers, leftMs }] of this.#held) {
      if (readers === 0 && now - leftMs > KEEP_MS) {
        selection.close();
        this.#held.delete(key);
      } else {
        selection.tick();
      }
    }
  }
}
