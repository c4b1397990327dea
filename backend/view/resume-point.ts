import type { FlowWindow } from '#core/flow/flow-window.ts';
import { nodeBootKey, nodeKey } from '#core/flow/node-boot.ts';
import type { Cursor, Position } from '#proto/gen/waggle/v1/flow_pb.ts';

/**
 * What a stream that was begun with a cursor has had already. The window may learn of the cursor's nodes only later, and
 * get rows again that the stream has had: a backend that was restarted asks its agents for their past.
 */
export class ResumePoint {
  readonly #window: FlowWindow;
  /** Those that may still be of nodes nobody here knows, as of so many known boots. */
  #unknown: Position[];
  #knownBoots = -1;
  readonly #named = new Map<string, number>();
  readonly #namedNodes = new Set<string>();
  /** By the window's node number. */
  readonly #sequences: number[] = [];

  constructor(cursor: Cursor, window: FlowWindow) {
    this.#window = window;
    this.#unknown = cursor.positions.filter(({ boot }) => boot !== undefined);
    for (const { boot, sequence } of cursor.positions) {
      if (boot === undefined) continue;
      this.#named.set(nodeBootKey(boot), Number(sequence));
      this.#namedNodes.add(nodeKey(boot));
    }
  }

  /** By the window's node number: rows with no greater sequence were had. 0 = none of that boot was. */
  sequence(node: number): number {
    this.#sequences[node] ??= this.#named.get(nodeBootKey(this.#window.nodes[node])) ?? 0;
    return this.#sequences[node];
  }

  /**
   * By the window's node number: of the rows now held, those with a greater sequence come after the cursor. A boot that is
   * newer than the one named for its node comes after it as a whole, an older one not at all; a node that is not named
   * starts at the window's end.
   */
  thresholds(): number[] {
    // Of each node, the first boot named that this window knows: those before it are older.
    const firstNamed = new Map<string, number>();
    for (const [number, boot] of this.#window.nodes.entries()) {
      if (this.#named.has(nodeBootKey(boot)) && !firstNamed.has(nodeKey(boot))) firstNamed.set(nodeKey(boot), number);
    }
    return this.#window.nodes.map((boot, number) => {
      if (this.#named.has(nodeBootKey(boot))) return this.sequence(number);
      if (!this.#namedNodes.has(nodeKey(boot))) return Number.POSITIVE_INFINITY;
      return number < (firstNamed.get(nodeKey(boot)) ?? -1) ? Number.POSITIVE_INFINITY : 0;
    });
  }

  /** Positions of boots that the window does not know, of nodes it does not know either. */
  unknown(): Position[] {
    const { nodes } = this.#window;
    if (this.#unknown.length > 0 && nodes.length !== this.#knownBoots) {
      this.#knownBoots = nodes.length;
      const known = new Set(nodes.map((boot) => nodeKey(boot)));
      this.#unknown = this.#unknown.filter(({ boot }) => !known.has(nodeKey(boot!)));
    }
    return this.#unknown;
  }
}
