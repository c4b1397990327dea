import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { pino } from 'pino';
import { BatchEncoder } from '#core/flow/batch.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { AgentService, ListRuleHitsResponseSchema } from '#proto/gen/waggle/v1/agent_pb.ts';
import {
  type Cursor,
  CursorSchema,
  type FlowBatch,
  FlowService,
  type FollowRequest,
  LossSchema,
  LossSource,
  NodeState,
  StatusResponseSchema,
} from '#proto/gen/waggle/v1/flow_pb.ts';
import { type GrpcServer, startGrpcServer } from '../grpc/server.ts';
import { type CallContext, Code, StatusError, service } from '../grpc/service.ts';
import { CLUSTER, pushFlows, type SampleFlow } from './sample-flows.ts';

let boots = 0n;

/** A node agent as the relay sees it: a real gRPC server in this process, whose flows a test puts in. */
export class InProcessAgent {
  readonly name: string;
  #server: GrpcServer | undefined;
  #window = new FlowWindow(100_000);
  #bootId = ++boots;
  #sequence = 0;
  /** When set, flows are kept back and the stream stays silent. */
  muted = false;
  readonly requests: FollowRequest[] = [];
  /** What its rules have done. */
  ruleHits: MessageInitShape<typeof ListRuleHitsResponseSchema> = {};
  #waiting = new Set<() => void>();
  address = '127.0.0.1:0';

  constructor(name: string) {
    this.name = name;
  }

  /** What `--agent` of a backend is told: `node-1=127.0.0.1:4244`. */
  get target(): string {
    return `${this.name}=${this.address}`;
  }

  get boot() {
    return { cluster: CLUSTER, node: this.name, bootId: this.#bootId };
  }

  async start(): Promise<void> {
    this.#server = await startGrpcServer({
      address: this.address,
      services: [
        service(FlowService, {
          follow: (request, context) => this.#follow(request, context),
          status: async () =>
            create(StatusResponseSchema, {
              nodes: [
                { cluster: CLUSTER, name: this.name, state: NodeState.CONNECTED, bootId: this.#bootId, endpoints: 3 },
              ],
            }),
        }),
        service(AgentService, {
          listRuleHits: async () => create(ListRuleHitsResponseSchema, this.ruleHits),
          awaitEndpoint: notHere,
          listEndpoints: notHere,
        }),
      ],
      log: pino({ level: 'silent' }),
    });
    this.address = this.#server.address;
  }

  /** Goes away; what it held stays, as if only the connection was lost. */
  async stop(): Promise<void> {
    await this.#server?.stop(0);
    this.#server = undefined;
  }

  /** A new life: another boot, nothing held. */
  reboot(): void {
    this.#bootId = ++boots;
    this.#sequence = 0;
    this.#window = new FlowWindow(100_000);
  }

  observe(...flows: SampleFlow[]): void {
    pushFlows(
      this.#window,
      flows.map((flow) => ({ boot: this.boot, sequence: ++this.#sequence, ...flow })),
    );
    if (!this.muted) for (const wake of this.#waiting) wake();
  }

  async *#follow(request: FollowRequest, { signal }: CallContext): AsyncGenerator<FlowBatch> {
    this.requests.push(request);
    const window = this.#window;
    const encoder = new BatchEncoder(window);
    const known = request.cursor?.positions.find(({ boot }) => boot?.bootId === this.#bootId);
    let position = known === undefined ? Math.max(window.start, window.end - request.last) : Number(known.sequence);
    if (known === undefined && (request.cursor?.positions.length ?? 0) > 0) {
      position = window.start;
      const losses = [
        create(LossSchema, { cluster: CLUSTER, node: this.name, source: LossSource.AGENT_RESTART, count: 1n }),
      ];
      yield Object.assign(encoder.encode([]), { losses });
    }
    while (!signal.aborted) {
      while (!this.muted && position < window.end) {
        const to = Math.min(window.end, position + 1000);
        const batch = encoder.encode(Array.from({ length: to - position }, (_, index) => position + index));
        position = to;
        batch.cursor = this.#cursor(window.columns.sequence[window.slot(position - 1)]);
        yield batch;
      }
      if (!request.follow) return;
      await new Promise<void>((resolve) => {
        const end = () => {
          this.#waiting.delete(end);
          signal.removeEventListener('abort', end);
          resolve();
        };
        this.#waiting.add(end);
        signal.addEventListener('abort', end);
      });
    }
  }

  #cursor(sequence: number): Cursor {
    return create(CursorSchema, { positions: [{ boot: this.boot, sequence: BigInt(sequence) }] });
  }
}

async function notHere(): Promise<never> {
  throw new StatusError(Code.UNIMPLEMENTED, 'this agent has no datapath');
}
