import { create } from '@bufbuild/protobuf';
import {
  type GetAgentEventsRequest,
  type GetAgentEventsResponse,
  type GetFlowsResponse,
  GetNamespacesResponseSchema,
  GetNodesResponseSchema,
  NamespaceSchema,
  NodeSchema,
  Observer,
  ServerStatusResponseSchema,
  TLSSchema,
} from '#proto/gen/observer/observer_pb.ts';
import { NodeState } from '#proto/gen/relay/relay_pb.ts';
import { type CallContext, Code, type Handlers, type ServedService, StatusError, service } from '../grpc/service.ts';
import { getFlows } from './get-flows.ts';
import type { FollowedNode, ObservedFlows } from './observed-flows.ts';
import type { SeenNamespaces } from './seen-namespaces.ts';

/** Names of nodes that do not answer, at most. */
const MOST_UNAVAILABLE_NAMES = 10;

/** What tools ask the health service about: the name `hubble status` has for it, and the service's own. */
export const HEALTH_NAMES = ['hubble.server.Observer', Observer.typeName];

export interface ObserverParts {
  readonly flows: ObservedFlows;
  readonly namespaces: SeenNamespaces;
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  /** Of an agent. */
  agentEvents?(request: GetAgentEventsRequest, context: CallContext): AsyncIterable<GetAgentEventsResponse>;
  /** Counts followers, if somebody wants to know. */
  readonly onFollower?: (change: 1 | -1) => void;
}

/** Hubble's Observer, of an agent or of a relay. */
export function observerService(parts: ObserverParts): ServedService {
  const { flows, namespaces } = parts;
  const handlers: Handlers<typeof Observer> = {
    // Batches of encoded responses, which the transport takes in place of responses.
    getFlows: (request, context) =>
      counted(
        getFlows(flows, request, context),
        parts.onFollower,
      ) as AsyncIterable<unknown> as AsyncIterable<GetFlowsResponse>,
    getAgentEvents: (request, context) => {
      if (parts.agentEvents === undefined) throw notHere('GetAgentEvents', 'ask a node agent');
      return parts.agentEvents(request, context);
    },
    getDebugEvents: () => {
      throw notHere('GetDebugEvents', 'the datapath makes no debug events');
    },
    getNodes: async () => {
      const nodes = flows.nodes?.();
      if (nodes === undefined) throw notHere('GetNodes', 'ask a relay');
      return create(GetNodesResponseSchema, { nodes: nodes.map(nodeMessage) });
    },
    getNamespaces: async () =>
      create(GetNamespacesResponseSchema, {
        namespaces: namespaces.list().map((namespace) => create(NamespaceSchema, namespace)),
      }),
    serverStatus: async () => create(ServerStatusResponseSchema, serverStatus(parts)),
  };
  return service(Observer, handlers);
}

function serverStatus({ flows, version, startedMs }: ObserverParts) {
  const { window } = flows;
  const nodes = flows.nodes?.();
  const flowsRate = flows.flowsPerSecond();
  if (nodes === undefined) {
    return {
      version,
      flowsRate,
      numFlows: BigInt(window.length),
      maxFlows: BigInt(window.capacity),
      seenFlows: BigInt(flows.seen()),
      uptimeNs: BigInt(Date.now() - startedMs) * 1_000_000n,
    };
  }
  const connected = nodes.filter(({ state }) => state === NodeState.NODE_CONNECTED);
  const unavailable = nodes.filter(({ state }) => state !== NodeState.NODE_CONNECTED).map(({ name }) => name);
  const sum = (figure: (node: FollowedNode) => number) =>
    BigInt(connected.reduce((total, node) => total + figure(node), 0));
  return {
    version,
    flowsRate,
    numFlows: sum(({ held }) => held),
    maxFlows: sum(({ capacity }) => capacity),
    seenFlows: sum(({ seen }) => seen),
    uptimeNs: BigInt(Math.round(Math.max(0, ...connected.map(({ uptimeMs }) => uptimeMs)))) * 1_000_000n,
    numConnectedNodes: connected.length,
    numUnavailableNodes: unavailable.length,
    unavailableNodes: unavailable.sort().slice(0, MOST_UNAVAILABLE_NAMES),
  };
}

function nodeMessage(node: FollowedNode) {
  return create(NodeSchema, {
    name: node.name,
    version: node.version,
    address: node.address,
    state: node.state,
    tls: create(TLSSchema, node.tls),
    uptimeNs: BigInt(Math.round(node.uptimeMs)) * 1_000_000n,
    numFlows: BigInt(node.held),
    maxFlows: BigInt(node.capacity),
    seenFlows: BigInt(node.seen),
  });
}

function notHere(method: string, instead: string): StatusError {
  return new StatusError(Code.UNIMPLEMENTED, `${method} is not served here: ${instead}`);
}

async function* counted<T>(messages: AsyncIterable<T>, count: ObserverParts['onFollower']): AsyncGenerator<T> {
  count?.(1);
  try {
    yield* messages;
  } finally {
    count?.(-1);
  }
}
