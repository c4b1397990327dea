import type { CardName } from '#core/card/card-name.ts';
import type { FlowColumns } from '#core/flow/columns.ts';
import { DIRECTION, REPLY } from '#core/flow/direction.ts';
import type { EndpointStore } from '#core/flow/endpoint-store.ts';
import { isAnswer, isFailure, isLayer7, LAYER7_TYPE, layer7LatencyNs } from '#core/flow/layer7.ts';
import type { Layer7Store } from '#core/flow/layer7-store.ts';
import { hasPorts } from '#core/flow/protocol.ts';
import { isTranslation } from '#core/flow/translation.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import type { MapUpdate } from '#proto/gen/waggle/v1/view_pb.ts';
import { CardTable, NO_CARD } from './card-table.ts';
import { droppedPackets } from './dropped-packets.ts';
import { EdgeTable, NO_EDGE } from './edge-table.ts';
import type { FirstSeen } from './first-seen.ts';
import { changesSince, type MapState, type Removal, snapshot } from './map-update.ts';
import { guessedFromPorts, ORIENTATION, observedByServer, statedOrientation } from './orientation.ts';
import { RATE_SECONDS } from './rate-window.ts';

export interface LiveMapOptions {
  /** Numbers in the `source` and `destination` columns refer to these. */
  readonly endpoints: EndpointStore;
  /** Records of rows that tell of requests; without it these are counted as flows only. */
  readonly layer7?: Layer7Store;
  /** Whether a node's own agent reports its pods' flows now. Default: every node's does. */
  readonly observes?: (cluster: string, node: string) => boolean;
  /** A workload has one card for each node where its pods run. */
  readonly perNode?: boolean;
  /** Pods a card's workload has by the cluster's state; 0 = not known. Default: nothing is known. */
  readonly replicas?: (card: CardName) => number;
  /** Since when cards and edges are known beyond this map. */
  readonly firstSeen?: FirstSeen;
  /** How long cards and edges stay after they were last heard of, in milliseconds. */
  readonly maxAgeMs?: number;
  readonly maxCards?: number;
  readonly maxEdges?: number;
  readonly now?: () => number;
}

const DEFAULT_MAX_AGE_MS = 5 * 60_000;
const DEFAULT_MAX_CARDS = 5_000;
const DEFAULT_MAX_EDGES = 20_000;

/** Versions for which removals are remembered; who is further behind gets a snapshot. */
const REMEMBERED_VERSIONS = 240;
/** How often the aged are looked for, as a part of their age. */
const FORGET_PARTS = 20;
/** How old the `last_seen` that was told of a card may get while it keeps talking. */
const TELL_SEEN_EVERY_MS = 10_000;

/**
 * Flows as a map: who (cards) talks to whom on which port (edges), how much and how well. Rows go in by `add`, in time
 * order or not; `tick` closes a version; readers take what changed since the version they have.
 */
export class LiveMap implements MapState {
  readonly cards: CardTable;
  readonly edges: EdgeTable;
  readonly firstSeen: FirstSeen | undefined;
  readonly #observes: (cluster: string, node: string) => boolean;
  readonly #replicas: (card: CardName) => number;
  readonly #endpoints: EndpointStore;
  readonly #layer7: Layer7Store | undefined;
  readonly #maxAgeMs: number;
  readonly #now: () => number;
  /** By CardTable's pod node number. */
  readonly #observed: boolean[] = [];
  readonly #touched: number[] = [];
  #isTouched = new Uint8Array(256);
  readonly removals: Removal[] = [];
  /** The version being filled; the last closed one is one less. */
  version = 1;
  #nowMs: number;
  #secondTold = 0;
  #forgotMs: number;

  constructor(options: LiveMapOptions) {
    this.cards = new CardTable(options.endpoints, options.maxCards ?? DEFAULT_MAX_CARDS, options.perNode ?? false);
    this.edges = new EdgeTable(options.maxEdges ?? DEFAULT_MAX_EDGES);
    this.#endpoints = options.endpoints;
    this.#layer7 = options.layer7;
    this.firstSeen = options.firstSeen;
    this.#observes = options.observes ?? (() => true);
    this.#replicas = options.replicas ?? (() => 0);
    this.#maxAgeMs = options.maxAgeMs ?? DEFAULT_MAX_AGE_MS;
    this.#now = options.now ?? Date.now;
    this.#nowMs = this.#now();
    this.#forgotMs = this.#nowMs;
  }

  /** Adds rows [from, to) of the columns. */
  add(columns: FlowColumns, from: number, to: number): void {
    this.beginRows();
    for (let row = from; row < to; row++) this.addRow(columns, row);
  }

  /** Before a run of `addRow`: looks at the clock once. */
  beginRows(): void {
    this.#nowMs = this.#now();
  }

  addRow(columns: FlowColumns, row: number): void {
    if (isTranslation(columns.observation[row])) return;
    const { cards, edges } = this;
    // A node's clock may be ahead; nothing is seen in the future.
    const seenMs = Math.min(columns.timeSeconds[row] * 1000 + columns.timeNanos[row] / 1e6, this.#nowMs);
    if (seenMs < this.#nowMs - this.#maxAgeMs) return;

    const sender = cards.cardOf(columns.source[row], seenMs, this.version);
    const receiver = cards.cardOf(columns.destination[row], seenMs, this.version);
    if (sender === NO_CARD || receiver === NO_CARD) return;

    const protocol = columns.protocol[row];
    const ported = hasPorts(protocol);
    let orientation = statedOrientation(columns, row);
    const guessed = orientation === ORIENTATION.OPEN;
    if (guessed) orientation = this.#guess(columns, row, sender, receiver, protocol, ported);
    const back = orientation === ORIENTATION.BACK;

    const port = !ported ? 0 : back ? columns.sourcePort[row] : columns.destinationPort[row];
    const portProtocol = port * 256 + protocol;
    const edge = back
      ? edges.edgeOf(receiver, sender, portProtocol, seenMs, this.version)
      : edges.edgeOf(sender, receiver, portProtocol, seenMs, this.version);
    if (edge === NO_EDGE) return;
    if (edge >= this.#isTouched.length) this.#growTouched(edge);
    if (this.#isTouched[edge] === 0) {
      this.#isTouched[edge] = 1;
      this.#touched.push(edge);
    }

    const second = Math.floor(seenMs / 1000);
    const verdict = columns.verdict[row];
    if (verdict === VERDICT.DROPPED || verdict === VERDICT.ERROR) {
      edges.drops.add(edge, second, columns.dropReason[row], droppedPackets(columns, row));
      // An end that drops is heard of: what the source saw leave is not taken for what arrived.
      if (observedByServer(columns, row, back)) edges.counted.records[edge]++;
      return;
    }
    // The destination's word counts where it has one.
    const spare =
      !observedByServer(columns, row, back) &&
      this.#isObserved(cards.podNodeOf(back ? columns.source[row] : columns.destination[row]));
    const counters = spare ? edges.spare : edges.counted;
    if (isLayer7(columns.observation[row])) {
      // A proxy's word about what packets carried: those are counted where they are seen.
      counters.add(edge, second, 0, 0, 0, 0, 0, 0, 0);
      this.#addRequest(edge, second, columns, row, observedByServer(columns, row, back));
      return;
    }
    // Of a guessed orientation, the packet's own way is what the counters call original.
    const turned = guessed && back;
    const opened = columns.trigger[row] === TRIGGER.FIRST_PACKET && columns.reply[row] === REPLY.ORIGINAL ? 1 : 0;
    if (opened === 1) {
      const { service } = this.#endpoints.get(back ? columns.source[row] : columns.destination[row]);
      if (service !== undefined) edges.through(edge, `${service.namespace}/${service.name}`, this.version);
    }
    counters.add(
      edge,
      second,
      opened,
      verdict === VERDICT.AUDIT ? 1 : 0,
      turned ? columns.bytesReply[row] : columns.bytesOriginal[row],
      turned ? columns.bytesOriginal[row] : columns.bytesReply[row],
      turned ? columns.packetsReply[row] : columns.packetsOriginal[row],
      turned ? columns.packetsOriginal[row] : columns.packetsReply[row],
      columns.retransmits[row],
      columns.trigger[row] === TRIGGER.INTERVAL ? seenMs / 1000 - second : -1,
    );
    if (columns.rttMicros[row] !== 0 && (!spare || edges.counted.records[edge] === 0)) {
      edges.rtt.add(edge, second, columns.rttMicros[row]);
    }
  }

  #addRequest(edge: number, second: number, columns: FlowColumns, row: number, atServer: boolean): void {
    // Nothing is told of older ones: no memory for edges that had some.
    if (second * 1000 < this.#nowMs - RATE_SECONDS * 1000) return;
    const record = this.#layer7?.get(columns.packetsReply[row]);
    if (record === undefined) return;
    const asks = record.type === LAYER7_TYPE.REQUEST || record.type === LAYER7_TYPE.SAMPLE;
    const latencyMicros = layer7LatencyNs(columns, row) / 1000;
    this.edges.requests.add(edge, second, atServer, asks, isAnswer(record), isFailure(record), latencyMicros);
  }

  /** Closes the version: what readers see. */
  tick(): void {
    const nowMs = this.#now();
    this.#nowMs = nowMs;
    const { edges } = this;
    for (const edge of this.#touched) {
      edges.changedVersion[edge] = this.version;
      this.#isTouched[edge] = 0;
    }
    this.#touched.length = 0;
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#secondTold) {
      this.#secondTold = second;
      this.#fade(nowMs);
    }
    if (nowMs - this.#forgotMs >= this.#maxAgeMs / FORGET_PARTS) {
      this.#forgotMs = nowMs;
      this.#forget(nowMs - this.#maxAgeMs);
    }
    for (let node = 0; node < this.#observed.length; node++) this.#observed[node] = this.#ask(node);
    this.version++;
  }

  /** Everything, as of the last tick. */
  snapshot(): MapUpdate {
    return snapshot(this, this.#now());
  }

  /**
   * What changed after that closed version (see `version`), as of the last tick; undefined when nothing did. A snapshot when
   * it is too long ago.
   */
  changesSince(version: number): MapUpdate | undefined {
    if (version < this.version - REMEMBERED_VERSIONS) return this.snapshot();
    return changesSince(this, version, this.#now());
  }

  /** Edges that were active within the window of the rates change although nothing is heard of them: their rates fall. */
  #fade(nowMs: number): void {
    const { edges, cards } = this;
    const since = nowMs - (RATE_SECONDS + 2) * 1000;
    for (let edge = 0; edge < edges.bound; edge++) {
      if (edges.id[edge] !== 0 && edges.lastSeenMs[edge] >= since) edges.changedVersion[edge] = this.version;
    }
    for (const card of cards.cards) {
      if (card === undefined) continue;
      const replicas = this.#replicas(card.name);
      const seenMs = cards.lastSeenMs[card.index];
      if (seenMs < card.toldSeenMs + TELL_SEEN_EVERY_MS && replicas === card.replicas) continue;
      card.toldSeenMs = seenMs;
      card.replicas = replicas;
      card.changedVersion = this.version;
    }
  }

  #forget(beforeMs: number): void {
    const edges = this.edges.forget(beforeMs);
    const cards = this.cards.forget(beforeMs, this.version);
    if (edges.length > 0 || cards.length > 0) this.removals.push({ version: this.version, cards, edges });
    while (this.removals.length > 0 && this.removals[0].version < this.version - REMEMBERED_VERSIONS) {
      this.removals.shift();
    }
  }

  /** An edge that is known in one of the two directions decides; else the ports do. */
  #guess(columns: FlowColumns, row: number, sender: number, receiver: number, protocol: number, ported: boolean) {
    if (!ported) {
      if (this.edges.has(sender, receiver, protocol)) return ORIENTATION.FORTH;
      if (this.edges.has(receiver, sender, protocol)) return ORIENTATION.BACK;
      return columns.direction[row] === DIRECTION.UNKNOWN
        ? ORIENTATION.FORTH
        : observedByServer(columns, row, false) === (columns.direction[row] === DIRECTION.INGRESS)
          ? ORIENTATION.FORTH
          : ORIENTATION.BACK;
    }
    const sourcePort = columns.sourcePort[row];
    const destinationPort = columns.destinationPort[row];
    if (this.edges.has(sender, receiver, destinationPort * 256 + protocol)) return ORIENTATION.FORTH;
    if (this.edges.has(receiver, sender, sourcePort * 256 + protocol)) return ORIENTATION.BACK;
    return guessedFromPorts(sourcePort, destinationPort);
  }

  #isObserved(podNode: number): boolean {
    if (podNode < 0) return false;
    while (this.#observed.length <= podNode) this.#observed.push(this.#ask(this.#observed.length));
    return this.#observed[podNode];
  }

  #ask(podNode: number): boolean {
    const { cluster, node } = this.cards.podNodes[podNode];
    return this.#observes(cluster, node);
  }

  #growTouched(edge: number): void {
    const larger = new Uint8Array(Math.max(this.#isTouched.length * 2, edge + 1));
    larger.set(this.#isTouched);
    this.#isTouched = larger;
  }
}
