import { BpfMap } from '../loader/map.ts';
import { type Codec, u32 } from '../loader/struct-codec.ts';
import type { StructTwin } from './struct-layout.ts';

/** Twin of `struct agent_state` (bpf/agent.h): what an agent leaves for the next one. */
export interface AgentState {
  /** Of the agent that wrote last. */
  readonly bootId: bigint;
  /** Of its flows. */
  readonly lastSequence: number;
  /** Wall clock in milliseconds since 1970. */
  readonly aliveAt: number;
  /** The same; 0 = it runs, or did not stop by itself. */
  readonly stoppedAt: number;
}

export const AGENT_STATE_TWIN: StructTwin = {
  struct: 'agent_state',
  size: 32,
  fields: { bootId: [0, 8], lastSequence: [8, 8], aliveAt: [16, 8], stoppedAt: [24, 8] },
};

const agentState: Codec<AgentState> = {
  size: AGENT_STATE_TWIN.size,
  encode: (value, into) => {
    into.setBigUint64(0, value.bootId, true);
    into.setBigUint64(8, BigInt(value.lastSequence), true);
    into.setBigUint64(16, BigInt(value.aliveAt), true);
    into.setBigUint64(24, BigInt(value.stoppedAt), true);
  },
  decode: (from) => ({
    bootId: from.getBigUint64(0, true),
    lastSequence: Number(from.getBigUint64(8, true)),
    aliveAt: Number(from.getBigUint64(16, true)),
    stoppedAt: Number(from.getBigUint64(24, true)),
  }),
};

export class AgentStateMap {
  readonly #map: BpfMap<number, AgentState>;

  constructor(fd: number) {
    this.#map = new BpfMap('agent', fd, u32, agentState);
  }

  /** What the last agent left; undefined when there was none. */
  get(): AgentState | undefined {
    const state = this.#map.get(0);
    return state?.bootId ? state : undefined;
  }

  set(state: AgentState): void {
    this.#map.set(0, state);
  }
}
