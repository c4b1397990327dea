import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { pino } from 'pino';
import { type Flow, FlowSchema, L7FlowType, type Layer7, type Layer7Schema } from '#proto/gen/flow/flow_pb.ts';
import {
  type GetFlowsRequest,
  GetFlowsResponseSchema,
  GetNodesResponseSchema,
  Observer,
  ServerStatusResponseSchema,
} from '#proto/gen/observer/observer_pb.ts';
import { ChangeNotificationSchema, ChangeNotificationType, Peer } from '#proto/gen/peer/peer_pb.ts';
import { NodeState } from '#proto/gen/relay/relay_pb.ts';
import { type GrpcServer, startGrpcServer } from '../grpc/server.ts';
import { Code, StatusError, service } from '../grpc/service.ts';

export type FlowInit = Exclude<MessageInitShape<typeof FlowSchema>, Flow>;
export type Layer7Init = Exclude<MessageInitShape<typeof Layer7Schema>, Layer7>;

const NODE = 'kind/worker';

/** A Hubble server of somebody else's, over the real API, that tells what a test wants it to: such as what only proxies see. */
export class FakeHubble {
  readonly #flows: Flow[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #server: GrpcServer | undefined;
  #told = 0;
  /** What it was asked for; it tells all it has, whatever that is. */
  readonly requests: GetFlowsRequest[] = [];
  /** The nodes it knows, by `cluster/node`; undefined: it is a node's own server and knows none. */
  nodes: string[] | undefined;

  async start(address = '127.0.0.1:0'): Promise<void> {
    this.#server = await startGrpcServer({
      address,
      services: [
        service(Observer, {
          getFlows: (request, { signal }) => {
            this.requests.push(request);
            return this.#stream(signal);
          },
          serverStatus: async () => create(ServerStatusResponseSchema, { version: 'somebody else' }),
          getNodes: async () => {
            const nodes = this.nodes?.map((name) => ({ name, state: NodeState.NODE_CONNECTED }));
            return nodes === undefined ? refuse() : create(GetNodesResponseSchema, { nodes });
          },
          getNamespaces: async () => refuse(),
          getAgentEvents: () => refuse(),
          getDebugEvents: () => refuse(),
        }),
        service(Peer, { notify: (_request, { signal }) => this.#peers(signal) }),
      ],
      log: pino({ level: 'silent' }),
    });
  }

  get address(): string {
    return this.#server!.address;
  }

  /** Tells flows, as seen now unless they say when. */
  tell(...flows: FlowInit[]): void {
    for (const flow of flows) {
      const uuid = `told-${++this.#told}`;
      this.#flows.push(create(FlowSchema, { time: timestampFromMs(Date.now()), uuid, nodeName: NODE, ...flow }));
    }
    for (const wake of [...this.#waiting]) wake();
  }

  /** Tells these flows now, and again every so often, so that rates last. */
  keepTelling(everyMs: number, ...flows: FlowInit[]): void {
    this.tell(...flows);
    this.#timers.add(setInterval(() => this.tell(...flows), everyMs));
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.#server?.stop();
  }

  /** Itself alone: for a relay that asks whom to follow. */
  async *#peers(signal: AbortSignal) {
    yield create(ChangeNotificationSchema, {
      name: NODE,
      address: this.address,
      type: ChangeNotificationType.PEER_ADDED,
    });
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
  }

  async *#stream(signal: AbortSignal) {
    for (let at = 0; !signal.aborted; ) {
      while (at < this.#flows.length) {
        const value = this.#flows[at++];
        const { nodeName, time } = value;
        yield create(GetFlowsResponseSchema, { nodeName, time, responseTypes: { case: 'flow', value } });
      }
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal.addEventListener('abort', wake);
      });
    }
  }
}

function refuse(): never {
  throw new StatusError(Code.UNIMPLEMENTED, 'not of interest here');
}

/** A pod as Hubble tells of it. */
export interface ToldPod {
  readonly namespace: string;
  readonly name: string;
  readonly address: string;
}

interface Ends {
  readonly client: ToldPod;
  readonly server: ToldPod;
  readonly port: number;
  /** Whose proxy tells: 1 the server's (ingress), 2 the client's (egress). */
  readonly direction?: 1 | 2;
  readonly udp?: boolean;
}

/** What a proxy tells of one way of a request: the packet's source is who speaks. */
export function requestFlow(ends: Ends, l7: Layer7Init, more: FlowInit = {}): FlowInit {
  const { client, server, port, direction = 1, udp = false } = ends;
  const isReply = l7.type === L7FlowType.RESPONSE;
  const [from, to] = isReply ? [server, client] : [client, server];
  const ports = isReply ? { sourcePort: port, destinationPort: 41_000 } : { sourcePort: 41_000, destinationPort: port };
  return {
    verdict: 1,
    Type: 2,
    IP: { source: from.address, destination: to.address, ipVersion: 1 },
    l4: { protocol: udp ? { case: 'UDP', value: ports } : { case: 'TCP', value: ports } },
    source: endpoint(from),
    destination: endpoint(to),
    eventType: { type: 129 },
    trafficDirection: direction,
    isReply,
    l7,
    ...more,
  };
}

function endpoint({ namespace, name }: ToldPod) {
  return {
    namespace,
    podName: `${name}-1`,
    clusterName: 'kind',
    identity: 1_000 + name.length,
    labels: [`k8s:app=${name}`],
    workloads: [{ kind: 'Deployment', name }],
  };
}
