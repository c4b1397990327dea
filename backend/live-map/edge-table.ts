import { DistinctCount } from './distinct-count.ts';
import { EdgeCounters } from './edge-counters.ts';
import { EdgeDrops } from './edge-drops.ts';
import { EdgeIndex, edgeHash } from './edge-index.ts';
import { EdgeRequests } from './edge-requests.ts';
import { grown } from './grown.ts';
import { RttSamples } from './rtt-samples.ts';

/** No edge: the map is at its limit. */
export const NO_EDGE = -1;
/** Services told of one edge. */
const MOST_SERVICES = 4;

/** Who talks to whom on which port, in arrays indexed by edge. */
export class EdgeTable {
  readonly #limit: number;
  readonly #index = new EdgeIndex();
  readonly #free: number[] = [];
  #nextId = 1;
  /** One more than the greatest edge index. */
  bound = 0;
  size = 0;
  /** 0 = no edge at this index. */
  id = new Float64Array(0);
  source = new Int32Array(0);
  destination = new Int32Array(0);
  portProtocol = new Uint32Array(0);
  firstSeenMs = new Float64Array(0);
  lastSeenMs = new Float64Array(0);
  createdVersion = new Float64Array(0);
  changedVersion = new Float64Array(0);
  /** Counted at the end that stands for the edge. */
  readonly counted = new EdgeCounters();
  /** Counted at the source while the destination is observed too: used only if that never reports. */
  readonly spare = new EdgeCounters();
  readonly drops = new EdgeDrops();
  readonly rtt = new RttSamples();
  readonly requests = new EdgeRequests();
  readonly omitted = new DistinctCount();
  /** Services that clients came through, by edge: `namespace/name`. */
  readonly services: (string[] | undefined)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  has(source: number, destination: number, portProtocol: number): boolean {
    return this.#index.find(this, source, destination, portProtocol) >= 0;
  }

  /** Index of the edge between these cards, made if need be; NO_EDGE when there is no room. */
  edgeOf(source: number, destination: number, portProtocol: number, seenMs: number, version: number): number {
    let edge = this.#index.find(this, source, destination, portProtocol);
    if (edge < 0) {
      if (this.size >= this.#limit) {
        this.omitted.add(edgeHash(source, destination, portProtocol));
        return NO_EDGE;
      }
      edge = this.#free.pop() ?? this.bound++;
      if (edge >= this.id.length) this.#grow(edge + 1);
      this.id[edge] = this.#nextId++;
      this.source[edge] = source;
      this.destination[edge] = destination;
      this.portProtocol[edge] = portProtocol;
      this.firstSeenMs[edge] = seenMs;
      this.lastSeenMs[edge] = seenMs;
      this.createdVersion[edge] = version;
      this.changedVersion[edge] = version;
      this.counted.clear(edge);
      this.spare.clear(edge);
      this.drops.clear(edge);
      this.rtt.clear(edge);
      this.requests.clear(edge);
      this.services[edge] = undefined;
      this.#index.add(this, edge);
      this.size++;
      return edge;
    }
    if (seenMs > this.lastSeenMs[edge]) this.lastSeenMs[edge] = seenMs;
    else if (seenMs < this.firstSeenMs[edge]) this.firstSeenMs[edge] = seenMs;
    return edge;
  }

  /** Somebody came through this Service: the edge is told again when that is news. */
  through(edge: number, service: string, version: number): void {
    const known = this.services[edge];
    if (known === undefined) this.services[edge] = [service];
    else if (known.includes(service) || known.length >= MOST_SERVICES) return;
    else known.push(service);
    this.createdVersion[edge] = version;
  }

  /** Forgets edges last heard of before then. Returns their ids. */
  forget(beforeMs: number): number[] {
    const gone: number[] = [];
    for (let edge = 0; edge < this.bound; edge++) {
      if (this.id[edge] === 0 || this.lastSeenMs[edge] >= beforeMs) continue;
      gone.push(this.id[edge]);
      this.id[edge] = 0;
      this.#free.push(edge);
      this.size--;
    }
    if (gone.length > 0) this.#index.rebuild(this, this.indexes());
    this.omitted.roll();
    return gone;
  }

  *indexes(): Generator<number> {
    for (let edge = 0; edge < this.bound; edge++) if (this.id[edge] !== 0) yield edge;
  }

  #grow(least: number): void {
    const edges = Math.max(256, this.id.length * 2, least);
    this.id = grown(this.id, edges);
    this.source = grown(this.source, edges);
    this.destination = grown(this.destination, edges);
    this.portProtocol = grown(this.portProtocol, edges);
    this.firstSeenMs = grown(this.firstSeenMs, edges);
    this.lastSeenMs = grown(this.lastSeenMs, edges);
    this.createdVersion = grown(this.createdVersion, edges);
    this.changedVersion = grown(this.changedVersion, edges);
    this.counted.reserve(edges);
    this.spare.reserve(edges);
    this.drops.reserve(edges);
    this.rtt.reserve(edges);
  }
}
