import type { Caller } from '#runtime/grpc/caller.ts';
import { type CallContext, Code, type ServedMethod, type ServedService, StatusError } from '#runtime/grpc/service.ts';
import type { Logger } from '#runtime/log.ts';
import { type AnswerParts, type Answers, openAnswers } from '../answers.ts';
import type { MergedFlows } from '../relay/merged-flows.ts';
import type { Permissions } from './permissions.ts';
import { type HiddenEnd, Visibility } from './visibility.ts';
import { VisibleFlows } from './visible-flows.ts';

/**
 * How often an open stream asks again whether it may go on. With answers as old as that, one attempt that fails and the deadline of
 * the next, what is withdrawn is cut off within 30 s.
 */
const CHECK_MS = 8_000;
/** An answer that takes longer than that is none: nothing may be shown any more. */
const OVERDUE_MS = 24_000;
/** How long a window that nobody reads is kept up to date: pages reconnect. */
const KEEP_MS = 60_000;
/** Different sets of namespaces looked at at once; each takes 4 MiB and some time for every flow. */
export const MOST_AUDIENCES = 48;
/** How often the log says that there are more. */
const TELL_MS = 60_000;

const MOST_CALLS_OF_ONE = 1_000;

/** All who may see the same namespaces: they share a window, and what is made of it. */
interface Audience {
  readonly flows: VisibleFlows;
  readonly answers: Answers;
  readonly methods: ReadonlyMap<string, ServedMethod>;
  readers: number;
  leftMs: number;
}

export interface GateOptions {
  readonly permissions: Permissions;
  readonly everything: Answers;
  readonly relay: MergedFlows;
  readonly parts: AnswerParts;
  /** The cluster whose namespaces the permissions are about; empty while it is not known. */
  readonly cluster: () => string;
  readonly hiddenEnd: HiddenEnd;
  /** What somebody must be allowed in a namespace, for who may see none: `get pods`. */
  readonly right: string;
  readonly log: Logger;
  readonly checkMs?: number;
  /** How old an answer may get while the next is waited for; default 24 s. */
  readonly overdueMs?: number;
  /** Default {@link MOST_AUDIENCES}. */
  readonly mostAudiences?: number;
  /** Calls of one name at once; default 1,000, a third of all: a page has one stream, and portals may share a name. */
  readonly mostCalls?: number;
}

/** Stands before all services: a call goes to those that hold what its caller may see, for as long as they may. */
export class Gate {
  readonly #options: GateOptions;
  readonly #checkMs: number;
  readonly #audiences = new Map<string, Audience>();
  readonly #sweeper: NodeJS.Timeout;
  #toldMs = Number.NEGATIVE_INFINITY;
  /** By who makes them. */
  readonly #calls = new Map<string, number>();

  constructor(options: GateOptions) {
    this.#options = options;
    this.#checkMs = options.checkMs ?? CHECK_MS;
    this.#sweeper = setInterval(() => this.#sweep(), KEEP_MS / 4);
    this.#sweeper.unref();
  }

  get audiences(): number {
    return this.#audiences.size;
  }

  /** The same services, to whom they may answer. */
  guard(services: readonly ServedService[]): ServedService[] {
    return services.map((served) => ({ ...served, methods: served.methods.map((method) => this.#guarded(method)) }));
  }

  /** Whether a caller may see everything. Throws StatusErrors. */
  async seesAll(caller: Caller): Promise<boolean> {
    return (await this.#permitted(caller)) === 'all';
  }

  close(): void {
    clearInterval(this.#sweeper);
    for (const audience of this.#audiences.values()) shut(audience);
    this.#audiences.clear();
  }

  #guarded(method: ServedMethod): ServedMethod {
    const unary = async (request: unknown, context: CallContext) => {
      const leave = this.#count(context.caller);
      try {
        const { method: own, release } = await this.#enter(method, context);
        try {
          return await own.invoke(request, context);
        } finally {
          release();
        }
      } finally {
        leave();
      }
    };
    const streaming = (request: unknown, context: CallContext) => this.#counted(method, request, context);
    return { ...method, invoke: method.streaming ? streaming : unary };
  }

  /** Throws where somebody has too many calls open, so that they do not take those of everyone. */
  #count(caller: Caller | undefined): () => void {
    if (caller === undefined || caller.trusted) return () => {};
    const { user } = caller;
    const calls = this.#calls.get(user) ?? 0;
    if (calls >= (this.#options.mostCalls ?? MOST_CALLS_OF_ONE)) {
      throw new StatusError(Code.RESOURCE_EXHAUSTED, `you have ${calls} calls open, which is the most: end some`);
    }
    this.#calls.set(user, calls + 1);
    return () => {
      const left = this.#calls.get(user)! - 1;
      if (left === 0) this.#calls.delete(user);
      else this.#calls.set(user, left);
    };
  }

  async *#counted(method: ServedMethod, request: unknown, context: CallContext): AsyncGenerator<unknown> {
    const leave = this.#count(context.caller);
    try {
      yield* this.#stream(method, request, context);
    } finally {
      leave();
    }
  }

  async *#stream(method: ServedMethod, request: unknown, context: CallContext): AsyncGenerator<unknown> {
    const { method: own, release, key } = await this.#enter(method, context);
    const cut = new AbortController();
    const onAbort = () => cut.abort(context.signal.reason);
    context.signal.addEventListener('abort', onAbort, { once: true });
    if (context.signal.aborted) onAbort();
    let askedMs = performance.now();
    const timer = setInterval(async () => {
      if (performance.now() - askedMs > (this.#options.overdueMs ?? OVERDUE_MS)) {
        cut.abort(new StatusError(Code.UNAVAILABLE, 'what you may see is not known: the API server takes too long'));
        return;
      }
      try {
        const permitted = await this.#permitted(context.caller);
        askedMs = performance.now();
        if (keyOf(permitted, this.#options) !== key) {
          cut.abort(new StatusError(Code.ABORTED, 'what you may see has changed'));
        }
      } catch (error) {
        // One that fails may be a restart of the API server; after two nobody knows any more.
        const away = error instanceof StatusError && error.code === Code.UNAVAILABLE;
        if (!away || performance.now() - askedMs > 1.5 * this.#checkMs) cut.abort(error);
      }
    }, this.#checkMs);
    try {
      const responses = own.invoke(request, { ...context, signal: cut.signal }) as AsyncIterable<unknown>;
      for await (const response of responses) {
        if (cut.signal.aborted) break;
        yield response;
      }
      if (cut.signal.aborted && !context.signal.aborted) throw cut.signal.reason;
    } finally {
      clearInterval(timer);
      context.signal.removeEventListener('abort', onAbort);
      cut.abort();
      release();
    }
  }

  async #permitted(caller: Caller | undefined) {
    if (caller === undefined) throw new StatusError(Code.UNAUTHENTICATED, 'sign in first');
    const { permissions, everything, log } = this.#options;
    let current: Caller | undefined;
    let permitted: Awaited<ReturnType<Permissions['of']>>;
    try {
      current = caller.current === undefined ? caller : await caller.current();
      permitted = current === undefined ? new Set<string>() : await permissions.of(current);
    } catch (error) {
      if (error instanceof StatusError) throw error;
      log.error({ err: error, user: caller.user }, 'what somebody may see cannot be found out');
      throw new StatusError(Code.UNAVAILABLE, 'what you may see cannot be found out: the API server does not answer');
    }
    if (current === undefined) throw new StatusError(Code.UNAUTHENTICATED, 'your session has ended: sign in again');
    if (permitted !== 'all' && permitted.size === 0) {
      if (everything.namespaces().length === 0) {
        throw new StatusError(Code.UNAVAILABLE, 'no namespace is known yet: nodes have still to answer');
      }
      throw new StatusError(Code.PERMISSION_DENIED, `${caller.user} may not ${this.#options.right} in any namespace`);
    }
    return permitted;
  }

  async #enter(method: ServedMethod, { caller }: CallContext) {
    const permitted = await this.#permitted(caller);
    if (permitted === 'all') return { method, release: () => {}, key: 'all' };
    const { hiddenEnd, cluster, relay, parts } = this.#options;
    const visibility = new Visibility(permitted, cluster, hiddenEnd);
    let audience = this.#audiences.get(visibility.key);
    if (audience === undefined) {
      this.#makeRoom();
      const flows = new VisibleFlows(relay, visibility);
      const answers = openAnswers(flows, parts, visibility);
      const methods = new Map(answers.forTools.flatMap((served) => served.methods.map((each) => [each.path, each])));
      audience = { flows, answers, methods, readers: 0, leftMs: 0 };
      this.#audiences.set(visibility.key, audience);
    }
    const { flows, methods } = audience;
    audience.readers++;
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      audience.readers--;
      audience.leftMs = performance.now();
    };
    const own = methods.get(method.path);
    if (own === undefined) {
      release();
      throw new StatusError(Code.PERMISSION_DENIED, 'this is told to those who may see all namespaces');
    }
    await flows.ready;
    return { method: own, release, key: visibility.key };
  }

  #makeRoom(): void {
    const { mostAudiences: most = MOST_AUDIENCES, log } = this.#options;
    if (this.#audiences.size < most) return;
    for (const [key, audience] of this.#audiences) {
      if (audience.readers > 0) continue;
      shut(audience);
      this.#audiences.delete(key);
      return;
    }
    const now = performance.now();
    if (now - this.#toldMs > TELL_MS) {
      log.warn(
        { audiences: most },
        'people are turned away: too many different sets of namespaces are watched; raise --audiences',
      );
      this.#toldMs = now;
    }
    throw new StatusError(
      Code.RESOURCE_EXHAUSTED,
      `people with ${most} different sets of namespaces are watching, which is the most (--audiences): try again later`,
    );
  }

  #sweep(): void {
    const now = performance.now();
    for (const [key, audience] of this.#audiences) {
      if (audience.readers > 0 || now - audience.leftMs < KEEP_MS) continue;
      shut(audience);
      this.#audiences.delete(key);
    }
  }
}

function keyOf(permitted: 'all' | ReadonlySet<string>, { cluster, hiddenEnd }: GateOptions): string {
  return permitted === 'all' ? 'all' : new Visibility(permitted, cluster, hiddenEnd).key;
}

function shut({ flows, answers }: Audience): void {
  answers.close();
  flows.close();
}
