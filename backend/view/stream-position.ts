import { create } from '@bufbuild/protobuf';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import { type NodeBoot, nodeBootKey } from '#core/flow/node-boot.ts';
import { type Cursor, CursorSchema, NodeBootSchema, PositionSchema } from '#proto/gen/waggle/v1/flow_pb.ts';
import type { Relay } from '../relay/relay.ts';

/** Where a stream stands: by the window's node number, the sequence of the last row it has. */
export class StreamPosition {
  readonly #relay: Relay;
  readonly #window: FlowWindow;
  readonly #sequences: number[] = [];

  constructor(relay: Relay) {
    this.#relay = relay;
    this.#window = relay.window;
  }

  /** The stream has every row up to the window's end that it is to have. */
  atEnd(): void {
    for (let node = 0; node < this.#window.nodes.length; node++)
      this.#sequences[node] = this.#relay.sequenceAtEnd(node);
  }

  at(node: number): number {
    return this.#sequences[node] ?? 0;
  }

  set(node: number, sequence: number): void {
    this.#sequences[node] = sequence;
  }

  /** The newest boot of every node, and older ones that the stream has not finished. */
  cursor(): Cursor {
    const newest = new Map<string, number>();
    for (const [number, boot] of this.#window.nodes.entries()) newest.set(nodeKey(boot), number);
    const cursor = create(CursorSchema);
    for (const [number, boot] of this.#window.nodes.entries()) {
      const sequence = this.at(number);
      if (newest.get(nodeKey(boot)) !== number && sequence >= this.#relay.sequenceAtEnd(number)) continue;
      cursor.positions.push(create(PositionSchema, { boot: create(NodeBootSchema, boot), sequence: BigInt(sequence) }));
    }
    return cursor;
  }
}

/**
 * By the window's node number: rows with a greater sequence come after the cursor. A boot that is newer than the one named
 * for its node comes after it as a whole, an older one not at all; a node that is not named starts at the window's end.
 */
export function thresholds(cursor: Cursor, window: FlowWindow): number[] {
  const named = new Map<string, bigint>();
  const namedNodes = new Set<string>();
  for (const { boot, sequence } of cursor.positions) {
    if (boot === undefined) continue;
    named.set(nodeBootKey(boot), sequence);
    namedNodes.add(nodeKey(boot));
  }
  // Of each node, the first boot named that this window knows: those before it are older.
  const firstNamed = new Map<string, number>();
  for (const [number, boot] of window.nodes.entries()) {
    if (named.has(nodeBootKey(boot)) && !firstNamed.has(nodeKey(boot))) firstNamed.set(nodeKey(boot), number);
  }
  return window.nodes.map((boot, number) => {
    const sequence = named.get(nodeBootKey(boot));
    if (sequence !== undefined) return Number(sequence);
    if (!namedNodes.has(nodeKey(boot))) return Number.POSITIVE_INFINITY;
    return number < (firstNamed.get(nodeKey(boot)) ?? -1) ? Number.POSITIVE_INFINITY : 0;
  });
}

function nodeKey(boot: Pick<NodeBoot, 'cluster' | 'node'>): string {
  return `${boot.cluster}/${boot.node}`;
}
