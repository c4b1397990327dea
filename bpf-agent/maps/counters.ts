import { PerCpuMap } from '../loader/map.ts';
import { type Codec, u32 } from '../loader/struct-codec.ts';
import type { StructTwin } from './struct-layout.ts';

/** Names of `enum unparsed` (bpf/counters.h), by number. */
export const UNPARSED_REASONS = [
  'link truncated',
  'network header truncated',
  'network header malformed',
  'transport header truncated',
  'transport header malformed',
  'too many extension headers',
  'first fragment not seen',
] as const;

/** Names of `enum dropped` (bpf/counters.h), by number. */
export const DROPPED_CAUSES = [
  'policy denied',
  'policy deny',
  'invalid source ip',
  'invalid packet',
  'endpoint not ready',
  'unroutable ip',
  'service backend not found',
  'source not in load-balancer range',
] as const;

/** Twin of `struct datapath_counters`, summed over CPUs. Since the maps were made: they outlive the agent. */
export interface DatapathCounters {
  /** Every packet that reached a hook. */
  readonly packets: number;
  /** ARP, NDP, MLD, IGMP. */
  readonly ignored: number;
  /** VLAN-tagged frames and other link protocols. */
  readonly notIp: number;
  /** By `UNPARSED_REASONS`. Such packets pass, unless the endpoint is guarded. */
  readonly unparsed: readonly number[];
  /** Records that found no room in the ring, by trigger. */
  readonly ringFull: readonly number[];
  readonly connectionsCreated: number;
  readonly connectionsEnded: number;
  /** The connection table took no entry for a packet. */
  readonly connectionsRefused: number;
  /** Packets, by `DROPPED_CAUSES`. */
  readonly dropped: readonly number[];
}

export const COUNTERS_TWIN: StructTwin = {
  struct: 'datapath_counters',
  size: 240,
  fields: {
    packets: [0, 8],
    ignored: [8, 8],
    notIp: [16, 8],
    unparsed: [24, 64],
    ringFull: [88, 64],
    connectionsCreated: [152, 8],
    connectionsEnded: [160, 8],
    connectionsRefused: [168, 8],
    dropped: [176, 64],
  },
};

const WORDS = COUNTERS_TWIN.size / 8;

const words: Codec<number[]> = {
  size: COUNTERS_TWIN.size,
  encode: () => {
    throw new Error('counters are written by the datapath alone');
  },
  decode: (from) => Array.from({ length: WORDS }, (_, index) => Number(from.getBigUint64(index * 8, true))),
};

export class CounterMap {
  readonly #map: PerCpuMap<number, number[]>;

  constructor(fd: number) {
    this.#map = new PerCpuMap('counters', fd, u32, words);
  }

  read(): DatapathCounters {
    const sums = new Array<number>(WORDS).fill(0);
    for (const cpu of this.#map.get(0)) {
      for (let index = 0; index < WORDS; index++) sums[index]! += cpu[index]!;
    }
    const at = (field: keyof typeof COUNTERS_TWIN.fields) => COUNTERS_TWIN.fields[field]![0] / 8;
    return {
      packets: sums[at('packets')]!,
      ignored: sums[at('ignored')]!,
      notIp: sums[at('notIp')]!,
      unparsed: sums.slice(at('unparsed'), at('unparsed') + UNPARSED_REASONS.length),
      ringFull: sums.slice(at('ringFull'), at('ringFull') + 8),
      connectionsCreated: sums[at('connectionsCreated')]!,
      connectionsEnded: sums[at('connectionsEnded')]!,
      connectionsRefused: sums[at('connectionsRefused')]!,
      dropped: sums.slice(at('dropped'), at('dropped') + DROPPED_CAUSES.length),
    };
  }
}

/** Sum of a counter list. */
export function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
