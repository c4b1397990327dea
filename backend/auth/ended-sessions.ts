const MOST_ENDED = 20_000;
/** Replicas' clocks may differ by that. */
const SKEW_MS = 60_000;

/**
 * A session that ended before its time, or all with a mark that began until then: a provider signs people out by its own names
 * for them. Times are milliseconds since 1970.
 */
export interface EndedSession {
  /** Of the session, or the mark. */
  readonly id: string;
  readonly begunMs: number;
  /** When it would have ended anyway, and need not be remembered any more. */
  readonly endsMs: number;
}

/** What of the list came after a position in it. */
export interface EndedPart {
  readonly ended: readonly EndedSession[];
  /** The position after the last of them. */
  readonly upTo: number;
  readonly more: boolean;
}

export interface EndedSessionsOptions {
  /** Since when it is known which sessions ended; default now. */
  readonly sinceMs?: number;
  readonly most?: number;
}

/**
 * Sessions that are not taken any more although their cookies would still open, here or at another replica. Bounded, and never by
 * forgetting: where it is full, every session as old as the oldest in it is over. So are those that began before there was
 * anybody who would know whether they ended.
 */
export class EndedSessions {
  readonly #most: number;
  /** In the order in which they were heard of. */
  readonly #byId = new Map<string, EndedSession & { readonly sequence: number }>();
  #sequence = 0;
  #floorMs = 0;
  #sinceMs: number;

  constructor({ sinceMs = Date.now(), most = MOST_ENDED }: EndedSessionsOptions = {}) {
    this.#sinceMs = sinceMs;
    this.#most = most;
  }

  /** Position after the newest; it only grows. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Sessions that began then or before are over. */
  get floorMs(): number {
    return this.#floorMs;
  }

  /** Of sessions that began then or before, nobody here knows whether they ended: they are taken for over. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  get size(): number {
    return this.#byId.size;
  }

  has({ id, begunMs, marks = [] }: Pick<EndedSession, 'id' | 'begunMs'> & { marks?: readonly string[] }): boolean {
    if (begunMs <= Math.max(this.#floorMs, this.#sinceMs) || this.#byId.has(id)) return true;
    return marks.some((mark) => begunMs <= (this.#byId.get(mark)?.begunMs ?? 0));
  }

  /** Nothing for one that is in the list already: what replicas tell each other comes round. */
  add({ id, begunMs, endsMs }: EndedSession, nowMs = Date.now()): void {
    if (begunMs <= this.#floorMs || endsMs + SKEW_MS < nowMs) return;
    if (begunMs <= (this.#byId.get(id)?.begunMs ?? 0)) return;
    this.#byId.delete(id);
    if (this.#byId.size >= this.#most) this.#makeRoom(nowMs);
    this.#sequence++;
    this.#byId.set(id, { id, begunMs, endsMs, sequence: this.#sequence });
  }

  raiseFloor(floorMs: number): void {
    if (floorMs <= this.#floorMs) return;
    this.#floorMs = floorMs;
    for (const { id, begunMs } of this.#byId.values()) if (begunMs <= floorMs) this.#byId.delete(id);
  }

  /** All is in this list now that somebody has heard of who knows since then. */
  reachBackTo(sinceMs: number): void {
    this.#sinceMs = Math.min(this.#sinceMs, sinceMs);
  }

  after(sequence: number, most: number): EndedPart {
    const ended: EndedSession[] = [];
    let upTo = sequence;
    if (sequence < this.#sequence) {
      for (const { id, begunMs, endsMs, sequence: own } of this.#byId.values()) {
        if (own <= sequence) continue;
        if (ended.length === most) return { ended, upTo, more: true };
        ended.push({ id, begunMs, endsMs });
        upTo = own;
      }
      upTo = this.#sequence;
    }
    return { ended, upTo, more: false };
  }

  #makeRoom(nowMs: number): void {
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const { id, begunMs, endsMs } of this.#byId.values()) {
      if (endsMs + SKEW_MS < nowMs) this.#byId.delete(id);
      else oldestMs = Math.min(oldestMs, begunMs);
    }
    if (this.#byId.size >= this.#most) this.raiseFloor(oldestMs);
  }
}
