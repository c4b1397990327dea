import { EntryStore } from './entry-store.ts';
import { type Layer7, NO_LAYER7 } from './layer7.ts';

/** What records with everything in them may take, and those without headers and ids beside them, in bytes. */
const FULL_BYTES = 16_000_000;
const PLAIN_BYTES = 8_000_000;
/** Of a record's objects, beside twice its text: in itself, and as its key. */
const OBJECT_BYTES = 400;

const SPARE_WAITING = 1_024;

const LEVEL = { NONE: 0, FULL: 1, PLAIN: 2, BARE: 3 } as const;

interface Waiting {
  readonly number: number;
  readonly generation: number;
}

/**
 * Records of layer 7 by number; 0 = none. Each held row counts as one reference. Nearly every request has an id of its own in a
 * header, so memory is bounded by bytes: when there are more, headers and ids of the oldest go, then what is asked for, so that
 * method and status are left.
 */
export class Layer7Store extends EntryStore<Layer7> {
  #level: Uint8Array = new Uint8Array(64);
  #cost: Uint32Array = new Uint32Array(64);
  readonly #bytes = [0, 0, 0, 0];
  readonly #full = new Fifo();
  readonly #plain = new Fifo();
  readonly #most: { readonly full: number; readonly plain: number };
  /** Records that had to be shortened for want of room. */
  shortened = 0;

  constructor(most = { full: FULL_BYTES, plain: PLAIN_BYTES }) {
    super('layer 7 record', NO_LAYER7, layer7Key);
    this.#most = most;
  }

  override intern(entry: Layer7): number {
    const number = super.intern(entry);
    if (number === 0 || (this.#level[number] ?? LEVEL.NONE) !== LEVEL.NONE) return number;
    this.#enter(number, LEVEL.FULL);
    while (this.#bytes[LEVEL.FULL] > this.#most.full && this.#shorten(this.#full, LEVEL.FULL, plain, number));
    while (this.#bytes[LEVEL.PLAIN] > this.#most.plain && this.#shorten(this.#plain, LEVEL.PLAIN, bare, number));
    return number;
  }

  override release(number: number): void {
    super.release(number);
    if (number !== 0 && !this.holds(number)) this.#leave(number);
  }

  /** Shortens the one that has been at this level for the longest; false where there is no other than `last`. */
  #shorten(queue: Fifo, level: number, less: (entry: Layer7) => Layer7, last: number): boolean {
    for (let oldest = queue.shift(); oldest !== undefined; oldest = queue.shift()) {
      const { number } = oldest;
      if (this.#level[number] !== level || !this.#isStill(oldest)) continue;
      if (number === last) {
        queue.push(oldest);
        return false;
      }
      this.#leave(number);
      this.replace(number, less(this.get(number)));
      this.#enter(number, level + 1);
      this.shortened++;
      return true;
    }
    return false;
  }

  #enter(number: number, level: number): void {
    if (number >= this.#level.length) this.#growTo(number + 1);
    const cost = level === LEVEL.BARE ? 0 : OBJECT_BYTES + 2 * this.keyLength(number);
    this.#level[number] = level;
    this.#cost[number] = cost;
    this.#bytes[level] += cost;
    const queue = level === LEVEL.FULL ? this.#full : level === LEVEL.PLAIN ? this.#plain : undefined;
    queue?.push({ number, generation: this.generation(number) });
    // Those that are no longer held leave when they come up, which in a calm store they never do.
    if (queue !== undefined && queue.length > 2 * this.bound + SPARE_WAITING) {
      queue.keep((waiting) => this.#level[waiting.number] === level && this.#isStill(waiting));
    }
  }

  #isStill({ number, generation }: Waiting): boolean {
    return this.generation(number) === generation;
  }

  #leave(number: number): void {
    this.#bytes[this.#level[number]] -= this.#cost[number];
    this.#level[number] = LEVEL.NONE;
    this.#cost[number] = 0;
  }

  #growTo(length: number): void {
    const level = new Uint8Array(Math.max(length, this.#level.length * 2));
    level.set(this.#level);
    this.#level = level;
    const cost = new Uint32Array(level.length);
    cost.set(this.#cost);
    this.#cost = cost;
  }
}

/** Equal keys = equal records. Records are made in one place each, so that their fields have one order. */
function layer7Key(entry: Layer7): string {
  return JSON.stringify(entry);
}

function plain(entry: Layer7): Layer7 {
  const { record } = entry;
  const less =
    record?.kind === 'http'
      ? { ...record, headers: [] }
      : record?.kind === 'kafka'
        ? { ...record, correlationId: 0 }
        : record;
  return { type: entry.type, record: less, traceId: '', shortened: true };
}

function bare(entry: Layer7): Layer7 {
  const { record } = entry;
  const less =
    record?.kind === 'http'
      ? { ...record, url: '' }
      : record?.kind === 'kafka'
        ? { ...record, topic: '' }
        : record?.kind === 'dns'
          ? { ...record, query: '', ips: [], cnames: [], ttl: 0 }
          : record;
  return { ...entry, record: less, shortened: true };
}

class Fifo {
  #entries: Waiting[] = [];
  #head = 0;

  get length(): number {
    return this.#entries.length - this.#head;
  }

  keep(wanted: (entry: Waiting) => boolean): void {
    this.#entries = this.#entries.slice(this.#head).filter(wanted);
    this.#head = 0;
  }

  push(entry: Waiting): void {
    this.#entries.push(entry);
  }

  shift(): Waiting | undefined {
    const entry = this.#entries[this.#head];
    if (entry === undefined) return undefined;
    this.#head++;
    if (this.#head > 1_024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
    return entry;
  }
}
