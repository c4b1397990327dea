import type { MessageInitShape } from '@bufbuild/protobuf';
import { BatchDecoder } from '#core/flow/batch.ts';
import type { Endpoint } from '#core/flow/endpoint.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import type { Cursor, FlowBatch, FollowRequestSchema, LossSource } from '#proto/gen/waggle/v1/flow_pb.ts';
import type { TestNode, TestPod } from '../testing/test-node.ts';

export interface Seen {
  sequence: number;
  source: Endpoint;
  destination: Endpoint;
  sourcePort: number;
  destinationPort: number;
  trigger: number;
  observation: number;
  reply: number;
  bytesOriginal: number;
}

/** Follows the agent and holds everything it says, as plain objects: for looking at, not for speed. */
export class Follower {
  readonly flows: Seen[] = [];
  readonly losses = new Map<LossSource, number>();
  cursor: Cursor | undefined;
  failure: unknown;
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;

  constructor({ flows }: TestNode, request: MessageInitShape<typeof FollowRequestSchema>) {
    this.#done = this.#read(flows.follow({ follow: true, ...request }, { signal: this.#abort.signal }));
  }

  async stop(): Promise<this> {
    this.#abort.abort();
    await this.#done;
    return this;
  }

  /** Sequences without those that came. */
  get gaps(): number {
    const sequences = this.flows.map(({ sequence }) => sequence);
    return sequences.length === 0 ? 0 : sequences.at(-1)! - sequences[0] + 1 - sequences.length;
  }

  async #read(batches: AsyncIterable<FlowBatch>): Promise<void> {
    const window = new FlowWindow(1);
    const decoder = new BatchDecoder(window);
    try {
      for await (const batch of batches) {
        const { rows, columns } = decoder.decode(batch);
        for (let row = 0; row < rows; row++) {
          this.flows.push({
            sequence: columns.sequence[row],
            source: window.endpoints.get(columns.source[row]),
            destination: window.endpoints.get(columns.destination[row]),
            sourcePort: columns.sourcePort[row],
            destinationPort: columns.destinationPort[row],
            trigger: columns.trigger[row],
            observation: columns.observation[row],
            reply: columns.reply[row],
            bytesOriginal: columns.bytesOriginal[row],
          });
        }
        for (const { source, count } of batch.losses) {
          this.losses.set(source, (this.losses.get(source) ?? 0) + Number(count));
        }
        this.cursor = batch.cursor;
      }
    } catch (error) {
      this.failure = error;
    }
  }
}

/** Connections' first records between two pods, as an endpoint of the node saw them. */
export function opened(flows: readonly Seen[], from: TestPod, to: TestPod, port: number): Seen[] {
  return flows.filter(
    ({ source, destination, destinationPort, trigger, reply }) =>
      source.address === from.ip &&
      destination.address === to.ip &&
      destinationPort === port &&
      trigger === 1 &&
      reply === 0,
  );
}
