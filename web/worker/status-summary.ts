import { LossSource, NodeState, type StatusResponse } from '#proto/gen/waggle/v1/flow_pb.ts';
import { milliseconds } from './milliseconds.ts';
import type { NodeSummary, StatusSummary } from './protocol.ts';

/** Where flows can be lost, in words. */
const LOSS_WORDS: Record<LossSource, string> = {
  [LossSource.UNSPECIFIED]: 'elsewhere',
  [LossSource.KERNEL_RING]: "kernel's ring buffer",
  [LossSource.AGENT_RING]: "agent's ring",
  [LossSource.AGENT_RESTART]: 'agent restarts',
  [LossSource.RELAY_QUEUE]: "relay's queue",
  [LossSource.VIEW_QUEUE]: "this view's queue",
  [LossSource.UNPARSED_PACKET]: 'packets not understood',
  [LossSource.CONNECTION_TABLE]: 'connection table full',
};

const STATE_WORDS: Record<NodeState, NodeSummary['state']> = {
  [NodeState.UNSPECIFIED]: 'connecting',
  [NodeState.CONNECTING]: 'connecting',
  [NodeState.CONNECTED]: 'connected',
  [NodeState.UNAVAILABLE]: 'unavailable',
};

/** `viewLosses`: what this view's stream told of, by source. `clockAhead`: see there. */
export function statusSummary(
  status: StatusResponse,
  viewLosses: ReadonlyMap<LossSource, number>,
  clockAhead: number,
): StatusSummary {
  const counts = new Map(viewLosses);
  for (const { source, count } of status.losses) counts.set(source, Math.max(Number(count), counts.get(source) ?? 0));
  const losses = [...counts]
    .filter(([, count]) => count > 0)
    .map(([source, count]) => ({ where: LOSS_WORDS[source] ?? LOSS_WORDS[LossSource.UNSPECIFIED], count }));
  return {
    version: status.version,
    nodes: status.nodes.map((node) => ({
      name: node.name,
      state: STATE_WORDS[node.state] ?? 'connecting',
      message: node.message,
      flowsPerSecond: node.flowsPerSecond,
      endpoints: node.endpoints,
      lost: node.losses.reduce((sum, { count }) => sum + Number(count), 0),
      retryAt: milliseconds(node.retryAt),
    })),
    flowsPerSecond: status.flowsPerSecond,
    flowsHeld: Number(status.flowsHeld),
    losses,
    lost: losses.reduce((sum, { count }) => sum + count, 0),
    tellsRequests: status.layer7FlowsSeen > 0n,
    replayReason: status.replayReason,
    stale: status.stale.map(({ name, reason, since }) => ({
      name,
      reason,
      since: milliseconds(since),
    })),
    clockAhead,
  };
}
