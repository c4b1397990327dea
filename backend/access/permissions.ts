import type { Caller } from '#runtime/grpc/caller.ts';

/** How long an answer is good for. A stream asks again every CHECK_MS, so that a change is felt within both. */
const PERMISSION_FRESH_MS = 8_000;
/** How many times as long a refusal is good for: what is withdrawn has to be felt soon, what is granted later. */
const REFUSAL_LASTS = 8;
/** People whose answers are kept. */
const MOST_CALLERS = 2_000;
/** Questions to the API server at once, over all callers. */
const AT_ONCE = 32;

/** Whether somebody may see a namespace; without one, all of them. Rejects when nobody can tell. */
export type MaySee = (caller: Caller, namespace: string | undefined, signal: AbortSignal) => Promise<boolean>;

/** Which namespaces somebody may see. */
export type Permitted = 'all' | ReadonlySet<string>;

interface Known {
  readonly atMs: number;
  permitted: Promise<Permitted>;
  isAnswered: boolean;
  /** Namespaces that need not be asked about, and since when. */
  refused: ReadonlySet<string>;
  readonly refusedMs: number;
}

const NONE: ReadonlySet<string> = new Set();

/** What people may see, asked once for all their pages and kept for a short time. */
export class Permissions {
  readonly #maySee: MaySee;
  readonly #namespaces: () => readonly string[];
  readonly #freshMs: number;
  /** The least recently asked first. */
  readonly #known = new Map<string, Known>();
  readonly #waiting: (() => void)[] = [];
  #asking = 0;

  /** @param namespaces those there are */
  constructor(maySee: MaySee, namespaces: () => readonly string[], freshMs = PERMISSION_FRESH_MS) {
    this.#maySee = maySee;
    this.#namespaces = namespaces;
    this.#freshMs = freshMs;
  }

  get size(): number {
    return this.#known.size;
  }

  /** Rejects when the API server cannot be asked: nobody sees what they may not be known to see. */
  of(caller: Caller): Promise<Permitted> {
    if (caller.trusted) return Promise.resolve('all');
    const key = callerKey(caller);
    const now = performance.now();
    let known = this.#known.get(key);
    this.#known.delete(key);
    // Where answers take long, to ask again would make them take longer.
    if (known === undefined || (known.isAnswered && now - known.atMs > this.#freshMs)) {
      const isOld = known === undefined || now - known.refusedMs > REFUSAL_LASTS * this.#freshMs;
      const asked: Known = {
        atMs: now,
        permitted: Promise.resolve(NONE),
        isAnswered: false,
        ...(isOld ? { refused: NONE, refusedMs: now } : { refused: known!.refused, refusedMs: known!.refusedMs }),
      };
      asked.permitted = this.#ask(caller, asked);
      asked.permitted.then(
        () => {
          asked.isAnswered = true;
        },
        // What failed is asked again by the next who wants to know.
        () => {
          if (this.#known.get(key) === asked) this.#known.delete(key);
        },
      );
      known = asked;
    }
    this.#known.set(key, known);
    if (this.#known.size > MOST_CALLERS) this.#known.delete(this.#known.keys().next().value!);
    return known.permitted;
  }

  async #ask(caller: Caller, asked: Known): Promise<Permitted> {
    const failed = new AbortController();
    if (await this.#one(caller, undefined, failed.signal)) return 'all';
    const names = [...new Set(this.#namespaces())].filter((name) => !asked.refused.has(name));
    try {
      const answers = await Promise.all(names.map((name) => this.#one(caller, name, failed.signal)));
      const allowed = new Set(names.filter((_, index) => answers[index]));
      // Who may see nothing waits for being granted something.
      asked.refused =
        allowed.size === 0 ? NONE : new Set([...asked.refused, ...names.filter((name) => !allowed.has(name))]);
      return allowed;
    } catch (error) {
      failed.abort();
      throw error;
    }
  }

  async #one(caller: Caller, namespace: string | undefined, signal: AbortSignal): Promise<boolean> {
    while (this.#asking >= AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#asking++;
    try {
      // Who gives up makes room for the next in line, too.
      signal.throwIfAborted();
      return await this.#maySee(caller, namespace, signal);
    } finally {
      this.#asking--;
      this.#waiting.shift()?.();
    }
  }
}

function callerKey({ user, uid, groups, extra }: Caller): string {
  return JSON.stringify([user, uid, [...groups].sort(), Object.entries(extra).sort()]);
}
