import { FlowService, NodeState, type NodeStatus } from '#proto/gen/waggle/v1/flow_pb.ts';
import { isLoopback, parseAddress } from '#runtime/address.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { pause } from '#runtime/pause.ts';

export interface Flowing {
  readonly nodes: number;
  readonly flowsPerSecond: number;
}

const POLL_MS = 200;

/**
 * Waits until every node is followed and flows come from each, asking the relay as any client does. When the signal aborts
 * first, what was still missing.
 */
export async function flowing(relay: string, nodes: number, signal: AbortSignal): Promise<Flowing | string> {
  const client = createClient(FlowService, connectable(relay));
  let missing = 'the relay does not answer';
  try {
    while (!signal.aborted) {
      try {
        const status = await client.status({}, { signal, deadlineMs: 5_000 });
        const silent = status.nodes.filter((node) => node.state !== NodeState.CONNECTED || node.flowsSeen === 0n);
        if (status.nodes.length >= nodes && silent.length === 0 && status.flowsPerSecond > 0) {
          return { nodes: status.nodes.length, flowsPerSecond: status.flowsPerSecond };
        }
        missing = silent[0] === undefined ? `${status.nodes.length} of ${nodes} nodes are known` : describe(silent[0]);
      } catch (error) {
        missing = `the relay does not answer: ${(error as Error).message}`;
      }
      await pause(POLL_MS, signal);
    }
    return missing;
  } finally {
    client.close();
  }
}

function describe({ name, state, message }: NodeStatus): string {
  if (state === NodeState.CONNECTED) return `${name} has seen none`;
  return `${name} is not connected${message === '' ? '' : ` (${message})`}`;
}

/** A server that listens on every address is reached by loopback. */
function connectable(text: string): string {
  const address = parseAddress(text);
  if (address?.kind !== 'tcp' || isLoopback(address)) return text;
  if (address.host === '0.0.0.0') return `127.0.0.1:${address.port}`;
  return address.host === '::' ? `[::1]:${address.port}` : text;
}
