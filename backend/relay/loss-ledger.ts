import { create } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import {
  type Loss,
  type LossCount,
  LossCountSchema,
  LossSchema,
  type LossSource,
} from '#proto/gen/waggle/v1/flow_pb.ts';
import { timestamp } from '../timestamp.ts';

interface Entry {
  readonly cluster: string;
  readonly node: string;
  readonly source: LossSource;
  total: bigint;
  firstMs: number;
  lastMs: number;
}

/** Every loss since the start of the process, by node and place. Readers are told the difference to what they know. */
export class LossLedger {
  readonly #entries = new Map<string, Entry>();

  add(loss: Pick<Loss, 'cluster' | 'node' | 'source' | 'count'> & Partial<Pick<Loss, 'first' | 'last'>>): void {
    if (loss.count === 0n) return;
    const key = `${loss.cluster}/${loss.node}/${loss.source}`;
    const lastMs = loss.last === undefined ? Date.now() : timestampMs(loss.last);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      const firstMs = loss.first === undefined ? lastMs : timestampMs(loss.first);
      entry = { cluster: loss.cluster, node: loss.node, source: loss.source, total: 0n, firstMs, lastMs };
      this.#entries.set(key, entry);
    }
    entry.total += loss.count;
    entry.lastMs = Math.max(entry.lastMs, lastMs);
  }

  /** Sums by place; of one node, or of all. */
  counts(cluster?: string, node?: string): LossCount[] {
    const sums = new Map<LossSource, bigint>();
    for (const entry of this.#entries.values()) {
      if (node !== undefined && (entry.node !== node || entry.cluster !== cluster)) continue;
      sums.set(entry.source, (sums.get(entry.source) ?? 0n) + entry.total);
    }
    return [...sums].map(([source, count]) => create(LossCountSchema, { source, count }));
  }

  reader(): LossReader {
    return new LossReader(this.#entries);
  }
}

/** One stream's knowledge of the ledger; what was lost before the stream began is not told. */
export class LossReader {
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #told = new Map<string, { total: bigint; lastMs: number }>();

  constructor(entries: ReadonlyMap<string, Entry>) {
    this.#entries = entries;
    for (const [key, { total, lastMs }] of entries) this.#told.set(key, { total, lastMs });
  }

  /** What was lost since the last call. */
  take(): Loss[] {
    const losses: Loss[] = [];
    for (const [key, entry] of this.#entries) {
      const told = this.#told.get(key);
      if (told?.total === entry.total) continue;
      losses.push(
        create(LossSchema, {
          cluster: entry.cluster,
          node: entry.node,
          source: entry.source,
          count: entry.total - (told?.total ?? 0n),
          first: timestamp(told?.lastMs ?? entry.firstMs),
          last: timestamp(entry.lastMs),
        }),
      );
      this.#told.set(key, { total: entry.total, lastMs: entry.lastMs });
    }
    return losses;
  }
}
