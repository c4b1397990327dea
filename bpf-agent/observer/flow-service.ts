import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import {
  type FlowBatch,
  type FlowService,
  LossCountSchema,
  LossSource,
  NodeState,
  NodeStatusSchema,
  StatusResponseSchema,
} from '#proto/gen/waggle/v1/flow_pb.ts';
import type { Handlers } from '#runtime/grpc/service.ts';
import type { FlowLog } from './flow-log.ts';
import { type FollowLimits, follow } from './follow.ts';

export interface NodeFacts {
  readonly version: string;
  readonly startedMs: number;
  /** Where the agent listens, as others reach it. */
  address(): string;
  endpoints(): number;
  /** What is degraded on the node; empty when all is well. */
  problem(): string;
}

/** The node's flows, for the relay and for everyone's tools. */
export class NodeFlowService implements Handlers<typeof FlowService> {
  readonly #log: FlowLog;
  readonly #facts: NodeFacts;
  readonly #limits: FollowLimits | undefined;
  #followers = 0;
  /** Flows that readers came too late for, all readers together. */
  #overwritten = 0;

  constructor(log: FlowLog, facts: NodeFacts, limits?: FollowLimits) {
    this.#log = log;
    this.#facts = facts;
    this.#limits = limits;
  }

  get followers(): number {
    return this.#followers;
  }

  /** Losses since the start of this process by source. */
  get losses(): ReadonlyMap<LossSource, number> {
    const totals = new Map(this.#log.losses.totals);
    if (this.#overwritten > 0) totals.set(LossSource.AGENT_RING, this.#overwritten);
    return totals;
  }

  follow: Handlers<typeof FlowService>['follow'] = (request, context) => {
    const counted = this.#counted.bind(this);
    return counted(follow(this.#log, request, context, this.#limits));
  };

  async status() {
    const { boot, window, rate } = this.#log;
    const losses = [...this.losses].map(([source, count]) => create(LossCountSchema, { source, count: BigInt(count) }));
    const node = create(NodeStatusSchema, {
      cluster: boot.cluster,
      name: boot.node,
      address: this.#facts.address(),
      state: NodeState.CONNECTED,
      message: this.#facts.problem(),
      bootId: boot.bootId,
      flowsPerSecond: rate.perSecond(),
      flowsSeen: BigInt(window.end),
      endpoints: this.#facts.endpoints(),
      started: timestampFromMs(this.#facts.startedMs),
      lastHeard: timestampFromMs(Date.now()),
      losses,
    });
    return create(StatusResponseSchema, {
      version: this.#facts.version,
      nodes: [node],
      flowsSeen: BigInt(window.end),
      flowsHeld: BigInt(window.length),
      flowsCapacity: BigInt(window.capacity),
      flowsPerSecond: node.flowsPerSecond,
      losses,
    });
  }

  async *#counted(batches: AsyncIterable<FlowBatch>): AsyncGenerator<FlowBatch> {
    this.#followers++;
    try {
      for await (const batch of batches) {
        for (const { source, count } of batch.losses) {
          if (source === LossSource.AGENT_RING) this.#overwritten += Number(count);
        }
        yield batch;
      }
    } finally {
      this.#followers--;
    }
  }
}
