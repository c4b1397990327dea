import { timestampMs } from '@bufbuild/protobuf/wkt';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { type FlowBatch, NodeState, type NodeStatus } from '#proto/gen/waggle/v1/flow_pb.ts';
import type { BackoffLimits } from '#runtime/backoff.ts';
import { Ingest, type IngestInto } from './ingest.ts';
import { LossLedger } from './loss-ledger.ts';
import { DEFAULT_MERGE_WAIT_MS, MergeQueue } from './merge-queue.ts';
import type { FollowedStatus, MergedFlows, RowsListener } from './merged-flows.ts';
import { Peer } from './peer.ts';
import type { PeerTarget } from './peer-target.ts';
import { RateMeter } from './rate-meter.ts';

/** About 16 MiB of rows. */
const DEFAULT_WINDOW = 262_144;

export interface RelayOptions {
  /** Flows held. Each takes BYTES_PER_ROW. */
  readonly window?: number;
  /** The longest a flow waits for older ones of other nodes, in milliseconds. */
  readonly mergeWaitMs?: number;
  readonly backoff?: BackoffLimits;
}

/** Flows that come from elsewhere than our own agents. */
export interface RelaySource {
  followed(): FollowedStatus[];
  /** Whether that node's flows are reported at this moment. */
  observes(cluster: string, node: string): boolean;
  close(): Promise<void>;
}

/** Follows node agents and merges their flows by time into one window. */
export class Relay implements MergedFlows {
  readonly window: FlowWindow;
  readonly losses = new LossLedger();
  readonly rate = new RateMeter();
  readonly requests = new RateMeter();
  readonly #merge: MergeQueue;
  readonly #into: IngestInto;
  readonly #backoff: BackoffLimits | undefined;
  readonly #peers = new Map<string, Peer>();
  readonly #sources = new Set<RelaySource>();
  readonly #listeners = new Set<RowsListener>();
  /** By the window's node number: the greatest sequence that has reached the window. */
  readonly #reached: number[] = [];
  /** Grows when a node comes, goes, or changes its state. */
  nodesVersion = 0;

  constructor(options: RelayOptions = {}) {
    this.window = new FlowWindow(options.window ?? DEFAULT_WINDOW);
    this.#merge = new MergeQueue(this.window, options.mergeWaitMs ?? DEFAULT_MERGE_WAIT_MS, (from, to) =>
      this.#moved(from, to),
    );
    const { window, losses, rate, requests } = this;
    this.#into = { window, merge: this.#merge, losses, rate, requests, lastSequence: [] };
    this.#backoff = options.backoff;
  }

  /** Follows these agents and no others. An agent whose address changed is connected to anew. */
  follow(targets: readonly PeerTarget[]): void {
    const wanted = new Map(targets.map((target) => [target.name, target]));
    for (const [name, peer] of this.#peers) {
      if (wanted.get(name)?.address === peer.target.address) continue;
      void peer.close();
      this.#peers.delete(name);
      this.nodesVersion++;
    }
    for (const [name, target] of wanted) {
      if (this.#peers.has(name)) continue;
      this.#peers.set(name, new Peer(target, this.#into, () => this.nodesVersion++, this.#backoff));
      this.nodesVersion++;
    }
  }

  /** A stream of batches that comes from elsewhere than a followed agent: a recording, a measurement. */
  openIngest(): { receive(batch: FlowBatch): void; close(): void } {
    return new Ingest(this.#into, new RateMeter());
  }

  /** Moves on what waits to be merged. */
  flush(): void {
    this.#merge.flush();
  }

  onRows(listener: RowsListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Adds a source that writes what comes to it into the relay, beside the followed agents. */
  addSource(open: (into: IngestInto, onState: () => void) => RelaySource): void {
    this.#sources.add(open(this.#into, () => this.nodesVersion++));
    this.nodesVersion++;
  }

  nodes(): NodeStatus[] {
    const others = [...this.#sources].flatMap((source) => source.followed());
    return [...[...this.#peers.values()].map((peer) => peer.status()), ...others.map(({ status }) => status)];
  }

  /** The nodes with what their agents last said of the flows they hold. */
  followed(): FollowedStatus[] {
    const peers = [...this.#peers.values()].map((peer) => {
      const status = peer.status();
      return {
        status,
        answer: peer.answer,
        startedMs: status.started && timestampMs(status.started),
        security: peer.target.security,
      };
    });
    return [...peers, ...[...this.#sources].flatMap((source) => source.followed())];
  }

  /** Whether that node's own agent reports its flows at this moment. */
  observes(cluster: string, node: string): boolean {
    const peer = this.#peers.get(node);
    if (peer !== undefined && peer.state === NodeState.CONNECTED && peer.cluster === cluster) return true;
    for (const source of this.#sources) if (source.observes(cluster, node)) return true;
    return false;
  }

  /** By the window's node number: the sequence of its newest row up to the window's end; 0 = none. */
  sequenceAtEnd(node: number): number {
    return this.#reached[node] ?? 0;
  }

  /** Sequences have no gaps but losses, so the oldest row held is where it begins. */
  heldSince(_node: number, first: number): number {
    return first;
  }

  async close(): Promise<void> {
    const peers = [...this.#peers.values()];
    const sources = [...this.#sources];
    this.#peers.clear();
    this.#sources.clear();
    await Promise.all([...peers, ...sources].map((source) => source.close()));
    this.#merge.close();
    this.#listeners.clear();
  }

  #moved(from: number, to: number): void {
    const { columns } = this.window;
    for (let position = from; position < to; position++) {
      const slot = this.window.slot(position);
      this.#reached[columns.node[slot]] = columns.sequence[slot];
    }
    for (const listener of this.#listeners) listener(from, to);
  }
}

export function createRelay(options?: RelayOptions): Relay {
  return new Relay(options);
}
