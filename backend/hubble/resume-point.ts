import { create } from '@bufbuild/protobuf';
import { type Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt';

/** A flow may come this much later than newer ones of other nodes, in milliseconds; also how far clocks may be apart. */
const OVERLAP_MS = 5_000;
/** Flows that are known by their uuid, of all nodes together. */
const MOST_KNOWN = 32_768;
/** What a server tells again it tells at once; later, a node whose clock was set back is not taken for one that repeats itself. */
const REPEATS_FOR_MS = 60_000;

interface Known {
  readonly uuid: string;
  readonly micros: number;
  readonly heardMs: number;
  readonly node: HeardNode;
}

/** Times in microseconds since 1970 by the node's own clock. */
interface HeardNode {
  newest: number;
  /** Flows up to here have come; after it they are known by their uuid. */
  passed: number;
}

/**
 * Where a broken stream of flows is begun anew: somewhat before its end, as flows of slower nodes come late and clocks
 * differ. What comes twice is told apart by its uuid and, where it is older than what is remembered, by its node's time.
 */
export class ResumePoint {
  /** In the order in which they came, from `#first` on. */
  #known: Known[] = [];
  #first = 0;
  readonly #uuids = new Set<string>();
  readonly #nodes = new WeakMap<object, HeardNode>();
  readonly #most: number;
  #heardMs: number | undefined;
  #repeatsUntilMs = 0;

  constructor(most: number = MOST_KNOWN) {
    this.#most = most;
  }

  /** A stream begins: the time from which flows are asked for; undefined as long as none has come. */
  resume(nowMs = Date.now()): Timestamp | undefined {
    if (this.#heardMs === undefined) return undefined;
    this.#repeatsUntilMs = nowMs + REPEATS_FOR_MS;
    // By our clock too: of the nodes that did not speak of late some may be behind those that did.
    let micros = (this.#heardMs - OVERLAP_MS) * 1_000;
    for (let at = this.#first; at < this.#known.length; at++) micros = Math.min(micros, this.#known[at].micros);
    const seconds = Math.floor(micros / 1e6);
    return create(TimestampSchema, { seconds: BigInt(seconds), nanos: Math.floor(micros - seconds * 1e6) * 1_000 });
  }

  /** False of a flow that has come before. `node` stands for who observed it. */
  isNew(uuid: string, time: Timestamp | undefined, node: object, nowMs = Date.now()): boolean {
    if (time === undefined) return true;
    if (uuid !== '' && this.#uuids.has(uuid)) return false;
    const micros = Number(time.seconds) * 1e6 + time.nanos / 1e3;
    const heard = this.#node(node);
    if (micros <= heard.passed && nowMs < this.#repeatsUntilMs) return false;
    this.#heardMs = nowMs;
    heard.newest = Math.max(heard.newest, micros);
    if (uuid === '') heard.passed = Math.max(heard.passed, micros);
    else {
      this.#uuids.add(uuid);
      this.#known.push({ uuid, micros, heardMs: nowMs, node: heard });
    }
    this.#forget(nowMs);
    return true;
  }

  #node(node: object): HeardNode {
    let heard = this.#nodes.get(node);
    if (heard === undefined) {
      heard = { newest: Number.NEGATIVE_INFINITY, passed: Number.NEGATIVE_INFINITY };
      this.#nodes.set(node, heard);
    }
    return heard;
  }

  #forget(nowMs: number): void {
    while (this.#first < this.#known.length) {
      const { uuid, micros, heardMs, node } = this.#known[this.#first];
      const old = heardMs < nowMs - OVERLAP_MS || micros < node.newest - OVERLAP_MS * 1_000;
      if (!old && this.#uuids.size <= this.#most) break;
      this.#uuids.delete(uuid);
      node.passed = Math.max(node.passed, micros);
      this.#first++;
    }
    if (this.#first <= this.#most) return;
    this.#known = this.#known.slice(this.#first);
    this.#first = 0;
  }
}
