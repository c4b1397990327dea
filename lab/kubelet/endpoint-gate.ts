import { AgentService } from '#proto/gen/waggle/v1/agent_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';

/** Asks a node's agent whether a pod is attached, as a container runtime asks a CNI plugin. */
export interface EndpointGate {
  /** Resolves to undefined once the pod is attached, or to the reason why it is not yet. */
  attached(podUid: string, signal: AbortSignal): Promise<string | undefined>;
}

/** For labs without agents: nothing to wait for. */
export const openGate: EndpointGate = { attached: () => Promise.resolve(undefined) };

const WAIT_MS = 5_000;

export function agentGate(node: string, socket: string): EndpointGate {
  const client = createClient(AgentService, `unix:${socket}`, {});
  return {
    async attached(podUid, signal) {
      try {
        await client.awaitEndpoint({ podUid, timeoutMs: WAIT_MS }, { signal, deadlineMs: WAIT_MS + 2_000 });
        return undefined;
      } catch (error) {
        return `waiting for the agent of ${node}: ${(error as Error).message}`;
      }
    },
  };
}
