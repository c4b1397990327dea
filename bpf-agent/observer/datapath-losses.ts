import { LossSource } from '#proto/gen/waggle/v1/flow_pb.ts';
import { type DatapathCounters, total } from '../maps/counters.ts';
import type { LossEntry } from './loss-log.ts';

/** What the datapath has lost since its maps were made, as far as it was already told. */
export interface LossCounts {
  readonly ringFull: number;
  readonly unparsed: number;
  /** Connections evicted or refused by the connection table. */
  readonly connections: number;
}

const NOTHING: LossCounts = { ringFull: 0, unparsed: 0, connections: 0 };

/**
 * Turns the datapath's counters, which only ever rise, into losses that are told once. The counters outlive the agent, and
 * so must what was told of them.
 */
export class DatapathLosses {
  #told: LossCounts;
  #toldAt = Date.now();

  /** @param told what an earlier agent told of the same maps */
  constructor(told: LossCounts = NOTHING) {
    this.#told = told;
  }

  get told(): LossCounts {
    return this.#told;
  }

  /**
   * @param counters read before the connection table was walked
   * @param connections entries then found in the table; undefined when it was not walked
   * @param sequence of the last flow
   * @returns what is new
   */
  update(
    counters: DatapathCounters,
    connections: number | undefined,
    sequence: number,
    nowMs = Date.now(),
  ): LossEntry[] {
    // Counters below what was told belong to maps made anew.
    const before = counters.packets === 0 ? NOTHING : this.#told;
    const evicted =
      connections === undefined ? 0 : counters.connectionsCreated - counters.connectionsEnded - connections;
    const now: LossCounts = {
      ringFull: Math.max(before.ringFull, total(counters.ringFull)),
      unparsed: Math.max(before.unparsed, total(counters.unparsed)),
      connections: Math.max(before.connections, Math.max(0, evicted) + counters.connectionsRefused),
    };
    const span = { sequence, firstMs: this.#toldAt, lastMs: nowMs };
    const entries: LossEntry[] = [
      { source: LossSource.KERNEL_RING, count: now.ringFull - before.ringFull, ...span },
      { source: LossSource.UNPARSED_PACKET, count: now.unparsed - before.unparsed, ...span },
      { source: LossSource.CONNECTION_TABLE, count: now.connections - before.connections, ...span },
    ];
    this.#told = now;
    this.#toldAt = nowMs;
    return entries.filter(({ count }) => count > 0);
  }

  static fromJson(text: string): LossCounts {
    try {
      const value = JSON.parse(text) as Partial<LossCounts>;
      const count = (name: keyof LossCounts) => {
        const number = value[name];
        return Number.isSafeInteger(number) && number! >= 0 ? number! : 0;
      };
      return { ringFull: count('ringFull'), unparsed: count('unparsed'), connections: count('connections') };
    } catch {
      return NOTHING;
    }
  }
}
