import { cardName, workloadKey } from '#core/card/card-name.ts';
import type { FlowColumns } from '#core/flow/columns.ts';
import { REPLY } from '#core/flow/direction.ts';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import { hasPorts } from '#core/flow/protocol.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { EdgeIndex } from './edge-index.ts';
import { grown } from './grown.ts';

const MOST_EDGES = 262_144;
const MOST_CARDS = 65_536;

/**
 * Since when each card is known, and each edge: over all flows, whoever watches, and longer than any map remembers. So that
 * "never seen before" is said of what was never seen, and not of what was quiet for a while.
 */
export class FirstSeen {
  readonly #window: FlowWindow;
  readonly #index = new EdgeIndex();
  #edges = 0;
  source = new Int32Array(1024);
  destination = new Int32Array(1024);
  portProtocol = new Uint32Array(1024);
  #edgeMs = new Float64Array(1024);
  readonly #cards = new Map<string, number>();
  readonly #cardMs: number[] = [];
  // By endpoint number: its card (-1 = no room), and the generation (plus one) it was looked up for.
  #card = new Int32Array(1024);
  #generation = new Float64Array(1024);
  #sinceMs: number;

  constructor(window: FlowWindow, nowMs: number = Date.now()) {
    this.#window = window;
    this.#sinceMs = nowMs;
  }

  /** What was seen first long after that is new; undefined when there was no room to remember everything. */
  get sinceMs(): number | undefined {
    return this.#edges >= MOST_EDGES || this.#cardMs.length >= MOST_CARDS ? undefined : this.#sinceMs;
  }

  /** Takes in the window's positions [from, to). */
  rows(from: number, to: number): void {
    const { columns } = this.#window;
    for (let position = from; position < to; position++) this.#row(columns, this.#window.slot(position));
  }

  /** Milliseconds since 1970; undefined when the card is not known. Keys that name a node stand for their workload. */
  ofCard(key: string): number | undefined {
    const card = this.#cards.get(workloadKey(key));
    return card === undefined ? undefined : this.#cardMs[card];
  }

  ofEdge(source: string, destination: string, portProtocol: number): number | undefined {
    const from = this.#cards.get(workloadKey(source));
    const to = this.#cards.get(workloadKey(destination));
    if (from === undefined || to === undefined) return undefined;
    const edge = this.#index.find(this, from, to, portProtocol);
    return edge < 0 ? undefined : this.#edgeMs[edge];
  }

  #row(columns: FlowColumns, row: number): void {
    // A connection's first packet says who opened it, a dropped one hardly ever was another; the rest of a connection's rows are
    // of an edge that is known by then.
    if (columns.reply[row] === REPLY.REPLY) return;
    if (columns.verdict[row] !== VERDICT.DROPPED) {
      if (columns.trigger[row] !== TRIGGER.FIRST_PACKET || columns.reply[row] !== REPLY.ORIGINAL) return;
    }
    const source = this.#cardOf(columns.source[row]);
    const destination = this.#cardOf(columns.destination[row]);
    if (source < 0 || destination < 0) return;
    const protocol = columns.protocol[row];
    const portProtocol = (hasPorts(protocol) ? columns.destinationPort[row] : 0) * 256 + protocol;
    if (this.#index.find(this, source, destination, portProtocol) >= 0) return;
    const timeMs = columns.timeSeconds[row] * 1000 + columns.timeNanos[row] / 1e6;
    this.#see(source, timeMs);
    this.#see(destination, timeMs);
    if (this.#edges >= MOST_EDGES) return;
    const edge = this.#edges++;
    if (edge >= this.source.length) this.#growEdges();
    this.source[edge] = source;
    this.destination[edge] = destination;
    this.portProtocol[edge] = portProtocol;
    this.#edgeMs[edge] = timeMs;
    this.#index.add(this, edge);
  }

  #see(card: number, timeMs: number): void {
    if (this.#cardMs[card] > timeMs) this.#cardMs[card] = timeMs;
  }

  #cardOf(endpoint: number): number {
    const { endpoints } = this.#window;
    if (endpoint >= this.#card.length) {
      this.#card = grown(this.#card, Math.max(endpoint + 1, endpoints.bound));
      this.#generation = grown(this.#generation, this.#card.length);
    }
    const generation = endpoints.generation(endpoint) + 1;
    if (this.#generation[endpoint] !== generation) {
      this.#generation[endpoint] = generation;
      this.#card[endpoint] = this.#cardNumber(cardName(endpoints.get(endpoint)).key);
    }
    return this.#card[endpoint];
  }

  #cardNumber(key: string): number {
    const known = this.#cards.get(key);
    if (known !== undefined) return known;
    if (this.#cardMs.length >= MOST_CARDS) return -1;
    const card = this.#cardMs.push(Number.POSITIVE_INFINITY) - 1;
    this.#cards.set(key, card);
    return card;
  }

  #growEdges(): void {
    this.source = grown(this.source, this.#edges);
    this.destination = grown(this.destination, this.#edges);
    this.portProtocol = grown(this.portProtocol, this.#edges);
    this.#edgeMs = grown(this.#edgeMs, this.#edges);
  }
}
