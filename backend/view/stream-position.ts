import { create } from '@bufbuild/protobuf';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import { nodeKey } from '#core/flow/node-boot.ts';
import { type Cursor, CursorSchema, NodeBootSchema, PositionSchema } from '#proto/gen/waggle/v1/flow_pb.ts';
import type { MergedFlows } from '../relay/merged-flows.ts';
import type { ResumePoint } from './resume-point.ts';

/** Where a stream stands: by the window's node number, the sequence of the last row it has. */
export class StreamPosition {
  readonly #relay: MergedFlows;
  readonly #window: FlowWindow;
  readonly #sequences: number[] = [];
  /** Where it was begun from, if not from nothing. */
  readonly #resumed: ResumePoint | undefined;

  constructor(relay: MergedFlows, resumed?: ResumePoint) {
    this.#relay = relay;
    this.#window = relay.window;
    this.#resumed = resumed;
  }

  /** The stream has every row up to the window's end that it is to have. */
  atEnd(): void {
    for (let node = 0; node < this.#window.nodes.length; node++) {
      // A relay that has just begun may still be behind what the stream has had from another.
      this.#sequences[node] = Math.max(this.#relay.sequenceAtEnd(node), this.#resumed?.sequence(node) ?? 0);
    }
  }

  at(node: number): number {
    return this.#sequences[node] ?? 0;
  }

  set(node: number, sequence: number): void {
    this.#sequences[node] = sequence;
  }

  /** The newest boot of every node, older ones that the stream has not finished, and those it came with that nobody here knows yet. */
  cursor(): Cursor {
    const newest = new Map<string, number>();
    for (const [number, boot] of this.#window.nodes.entries()) newest.set(nodeKey(boot), number);
    const cursor = create(CursorSchema);
    for (const [number, boot] of this.#window.nodes.entries()) {
      const sequence = this.at(number);
      if (newest.get(nodeKey(boot)) !== number && sequence >= this.#relay.sequenceAtEnd(number)) continue;
      cursor.positions.push(create(PositionSchema, { boot: create(NodeBootSchema, boot), sequence: BigInt(sequence) }));
    }
    cursor.positions.push(...(this.#resumed?.unknown() ?? []));
    return cursor;
  }
}
