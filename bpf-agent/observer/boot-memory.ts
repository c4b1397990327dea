import type { AgentState } from '../maps/agent-state.ts';
import type { RunDirectory } from '../run-directory.ts';
import { BootHistory } from './boot-history.ts';
import type { FlowLog } from './flow-log.ts';

/** How far each boot of the agent has come: it outlives even one that is killed. */
export class BootMemory {
  /** The boots before this one, the last of them as its agent left it. */
  readonly earlier: BootHistory;
  readonly #map: { set(record: AgentState): void };

  constructor(run: RunDirectory, map: { get(): AgentState | undefined; set(record: AgentState): void }) {
    this.#map = map;
    const last = map.get();
    let earlier = BootHistory.fromJson(run.read('boots.json'));
    if (last !== undefined) {
      const aliveAt = last.stoppedAt || last.aliveAt;
      earlier = earlier.with({ bootId: last.bootId, lastSequence: last.lastSequence, aliveAt });
      run.write('boots.json', earlier.toJson());
    }
    this.earlier = earlier;
  }

  save({ boot, lastSequence }: FlowLog, stoppedAt = 0): void {
    this.#map.set({ bootId: boot.bootId, lastSequence, aliveAt: Date.now(), stoppedAt });
  }
}
