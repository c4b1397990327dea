import { randomBytes } from 'node:crypto';
import type { NodeBoot } from '#core/flow/node-boot.ts';
import type { Node } from '#proto/gen/observer/observer_pb.ts';
import { NodeState } from '#proto/gen/relay/relay_pb.ts';
import { RateMeter } from '../relay/rate-meter.ts';

/** A node behind a Hubble server, as far as its flows and the server tell of it. */
export interface FollowedNode {
  /** The boot id is ours, as Hubble tells none. */
  readonly boot: NodeBoot;
  /** Of its newest flow: we count them, as Hubble does not. */
  sequence: number;
  readonly rate: RateMeter;
  connected: boolean;
  /** What the server last said of it. */
  told: Node | undefined;
  lastHeardMs: number;
}

/** The nodes behind one Hubble server, by name. */
export class FollowedNodes {
  readonly #nodes = new Map<string, FollowedNode>();
  readonly #server: string;
  readonly #onChange: () => void;

  /**
   * @param server stands for the node where none is named
   * @param onChange a node has come, or whether it is connected has changed
   */
  constructor(server: string, onChange: () => void) {
    this.#server = server;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#nodes.size;
  }

  values(): FollowedNode[] {
    return [...this.#nodes.values()];
  }

  /** By `cluster/node`; a bare name is of cluster `default`, as Hubble leaves that one out. */
  node(fullName: string): FollowedNode {
    const slash = fullName.lastIndexOf('/');
    const cluster = slash < 0 ? 'default' : fullName.slice(0, slash);
    const name = fullName.slice(slash + 1) || this.#server;
    const key = `${cluster}/${name}`;
    let node = this.#nodes.get(key);
    if (node === undefined) {
      const bootId = randomBytes(8).readBigUInt64LE() | 1n;
      node = {
        boot: { cluster, node: name, bootId },
        sequence: 0,
        rate: new RateMeter(),
        connected: true,
        told: undefined,
        lastHeardMs: Date.now(),
      };
      this.#nodes.set(key, node);
      this.#onChange();
    }
    return node;
  }

  /** What the server says of all nodes it knows: those it knew before and no longer does are gone. */
  tell(nodes: readonly Node[]): void {
    const told = new Set<FollowedNode>();
    for (const message of nodes) {
      const node = this.node(message.name);
      node.told = message;
      this.enter(node, message.state === NodeState.NODE_CONNECTED);
      told.add(node);
    }
    for (const [key, node] of this.#nodes) {
      if (node.told === undefined || told.has(node)) continue;
      this.#nodes.delete(key);
      this.#onChange();
    }
  }

  isConnected(cluster: string, name: string): boolean {
    return this.#nodes.get(`${cluster}/${name}`)?.connected === true;
  }

  enter(node: FollowedNode, connected: boolean): void {
    if (node.connected === connected) return;
    node.connected = connected;
    this.#onChange();
  }
}
