import { tcpFlagNames } from '#core/flow/tcp-flags.ts';
import type { FlowColumnId, FlowSort } from './flow-column.ts';
import { flowRow } from './flow-row.ts';
import { GroupTable, VARIES } from './group-table.ts';
import { ArrivalCount, rowMatcher } from './matching-rows.ts';
import type { PageWindow } from './page-window.ts';
import type { Selection } from './protocol.ts';
import type { RowOrder } from './row-order.ts';
import type { FlowRow } from './shown-flow.ts';
import { sortKeys } from './sort-keys.ts';

/** Counted anew when the window has let go of that share of the rows that were counted. */
const STALE_SHARE = 1 / 16;
/** A followed table that is sorted changes at most that often: numbers that change while their order stays would look wrong. */
const SORT_INTERVAL_MS = 1_000;

/** Repeats as one row each. Not sorted: in the order in which groups first appeared, so that nothing jumps. */
export class GroupedOrder implements RowOrder {
  /** What stands where may change with every flow. */
  readonly edition = undefined;
  readonly #window: PageWindow;
  readonly #sort: FlowSort | null;
  readonly #matches: (slot: number) => boolean;
  readonly #arrivals: ArrivalCount;
  readonly #now: () => number;
  #table: GroupTable;
  #builtFrom = 0;
  /** Rows below this position are counted. */
  #counted = -1;
  #order = new Uint32Array(0);
  #sortedAt = Number.NEGATIVE_INFINITY;
  #sortedSize = -1;

  constructor(
    window: PageWindow,
    selection: Selection | null,
    sort: FlowSort | null,
    now: () => number = () => performance.now(),
  ) {
    this.#window = window;
    this.#sort = sort;
    this.#matches = rowMatcher(window, selection);
    this.#arrivals = new ArrivalCount(window, selection);
    this.#now = now;
    this.#table = new GroupTable(window);
  }

  get total(): number {
    return this.#order.length;
  }

  update(anchor: number | null): number {
    const window = this.#window;
    const wanted = Math.min(anchor ?? window.end, window.end);
    if (wanted === this.#counted) return wanted;
    const isFollowed = this.#counted >= 0 && anchor === null;
    if (isFollowed && this.#sort !== null && this.#now() < this.#sortedAt + SORT_INTERVAL_MS) return this.#counted;
    const stale = window.start - this.#builtFrom > window.capacity * STALE_SHARE;
    if (this.#counted < 0 || wanted < this.#counted || stale || this.#counted < window.start) {
      this.#table = new GroupTable(window);
      this.#builtFrom = window.start;
      this.#counted = window.start;
      this.#sortedSize = -1;
    }
    for (let position = this.#counted; position < wanted; position++) {
      if (this.#matches(window.slot(position))) this.#table.add(position);
    }
    this.#counted = wanted;
    this.#reorder();
    return wanted;
  }

  arrived(): number {
    return this.#arrivals.since(this.#counted);
  }

  position(index: number): number {
    return this.#table.columns.last[this.#order[index]];
  }

  row(index: number): FlowRow | null {
    const entry = this.#order[index];
    const groups = this.#table.columns;
    const last = groups.last[entry];
    if (last < this.#window.start) return null;
    const row = flowRow(this.#window, last);
    const varies = groups.varies[entry];
    return {
      ...row,
      count: groups.count[entry],
      bytes: groups.bytes[entry],
      packets: groups.packets[entry],
      retransmits: groups.retransmits[entry],
      rttMicros: groups.rtt[entry],
      tcpFlags: row.protocol === 'TCP' ? tcpFlagNames(groups.flags[entry]) : '',
      varying: {
        source: (varies & VARIES.SOURCE) !== 0,
        destination: (varies & VARIES.DESTINATION) !== 0,
        sourcePort: (varies & VARIES.SOURCE_PORT) !== 0,
        node: (varies & VARIES.NODE) !== 0,
        policy: (varies & VARIES.POLICY) !== 0,
        layer7: (varies & VARIES.LAYER7) !== 0,
      },
    };
  }

  #reorder(): void {
    const { size } = this.#table;
    if (size === this.#sortedSize && this.#sort === null) return;
    this.#sortedAt = this.#now();
    this.#sortedSize = size;
    // Entries are numbered as they first appeared.
    this.#order = Uint32Array.from({ length: size }, (_, index) => size - 1 - index);
    if (this.#sort === null) return;
    const held = this.#order.filter((entry) => this.#table.columns.last[entry] >= this.#window.start);
    const { descending } = this.#sort;
    for (const key of this.#keys(this.#sort.column, held)) {
      held.sort((a, b) => (descending ? key(b) - key(a) : key(a) - key(b)));
    }
    this.#order = held;
  }

  /** Sums where the group has one, else what its latest flow says. */
  #keys(column: FlowColumnId, entries: Uint32Array): readonly ((entry: number) => number)[] {
    const window = this.#window;
    const groups = this.#table.columns;
    switch (column) {
      case 'count':
        return [(entry) => groups.count[entry]];
      case 'bytes':
        return [(entry) => groups.bytes[entry]];
      case 'packets':
        return [(entry) => groups.packets[entry]];
      case 'retransmits':
        return [(entry) => groups.retransmits[entry]];
      case 'rtt':
        return [(entry) => groups.rtt[entry]];
      case 'flags':
        return [(entry) => groups.flags[entry]];
      default: {
        const slotOf = (entry: number) => window.slot(groups.last[entry]);
        const keys = sortKeys(window, column, () => Array.from(entries, slotOf));
        return keys.map((key) => (entry: number) => key(slotOf(entry)));
      }
    }
  }
}
