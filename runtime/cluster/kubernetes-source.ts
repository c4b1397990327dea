import type { ApiClient } from '../kubernetes/api-client.ts';
import { ListWatch, type ListWatchLimits } from '../kubernetes/list-watch.ts';
import { ObjectReducer } from '../kubernetes/reduce-object.ts';
import { RESOURCES } from '../kubernetes/resources.ts';
import { ObjectStore } from './object-store.ts';
import { type ClusterObjects, KINDS, type Kind } from './objects.ts';
import { ObjectError } from './read-object.ts';
import type { ClusterChange, ClusterProblem, ClusterSource } from './source.ts';

export interface KubernetesSourceOptions extends ListWatchLimits {
  readonly client: ApiClient;
  /** Whether the state of pods' containers is wanted; an agent needs none. */
  readonly containerStatuses?: boolean;
  /**
   * For so long `start` waits for a server that gives no answer, in milliseconds; then it resolves, and the source is `unread` until
   * there is one. Default: without end.
   */
  readonly patienceMs?: number;
  /** Told while the first read is waited for, at most every ten seconds. */
  readonly onWaiting?: (problem: string) => void;
}

const TELL_EVERY_MS = 10_000;
const LOOK_EVERY_MS = 250;
/** A watch that was cut is back before this; shorter gaps are nobody's concern. */
const STALE_AFTER_MS = 3_000;

/**
 * Cluster state from the Kubernetes API: every kind listed once, then watched. Reads only. While the server gives no answer
 * the last known state stays in use and the problem says how old it is.
 */
export class KubernetesSource implements ClusterSource {
  readonly #client: ApiClient;
  readonly #options: KubernetesSourceOptions;
  readonly #store = new ObjectStore();
  readonly #reducer: ObjectReducer;
  readonly #watches = new Map<Kind, ListWatch>();
  readonly #unreadable = new Map<string, ClusterProblem>();
  readonly #stopping = new AbortController();
  #running: Promise<unknown> | undefined;
  #unread = true;

  constructor(options: KubernetesSourceOptions) {
    this.#options = options;
    this.#client = options.client;
    this.#reducer = new ObjectReducer({ statuses: options.containerStatuses ?? true });
    let last: Promise<unknown> = Promise.resolve();
    const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
      const mine = last.then(work);
      last = mine.catch(() => {});
      return mine;
    };
    for (const kind of KINDS) {
      const listener = {
        put: (document: Parameters<ObjectReducer['reduce']>[1]) => this.#put(kind, document),
        delete: (namespace: string, name: string) => this.#delete(kind, namespace, name),
      };
      this.#watches.set(kind, new ListWatch(this.#client, RESOURCES[kind], listener, { ...options, inTurn }));
    }
  }

  get unread(): boolean {
    return this.#unread;
  }

  /** Resolves after the first full read; stops waiting when stopped. */
  async start(): Promise<void> {
    const { signal } = this.#stopping;
    const listed: Promise<void>[] = [];
    const running: Promise<void>[] = [];
    for (const watch of this.#watches.values()) {
      listed.push(new Promise((resolve) => running.push(watch.run(signal, resolve))));
    }
    this.#running = Promise.all(running);
    const read = Promise.all(listed).then(() => {
      this.#unread = false;
    });
    // Without the second, a fault in a watch would leave the first waiting for ever.
    const end = Promise.race([read, this.#running]);
    const waiting = setInterval(() => {
      const [problem] = this.#serverProblems();
      if (problem !== undefined) this.#options.onWaiting?.(problem.message);
    }, TELL_EVERY_MS);
    waiting.unref();
    void end.catch(() => {}).then(() => clearInterval(waiting));
    await Promise.race([end, this.#outOfPatience()]);
  }

  /** Resolves when a server has given no answer for long enough. One that answers slowly is waited for. */
  #outOfPatience(): Promise<void> {
    const { patienceMs = Number.POSITIVE_INFINITY } = this.#options;
    const startedAt = performance.now();
    return new Promise((resolve) => {
      const looking = setInterval(() => {
        const over = performance.now() - startedAt >= patienceMs && this.#serverProblems().length > 0;
        if (over) resolve();
        if (over || !this.#unread || this.#stopping.signal.aborted) clearInterval(looking);
      }, LOOK_EVERY_MS);
    });
  }

  list<K extends Kind>(kind: K): ClusterObjects[K][] {
    return this.#store.list(kind);
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): ClusterObjects[K] | undefined {
    return this.#store.get(kind, namespace, name);
  }

  onChange(listener: (change: ClusterChange) => void): () => void {
    return this.#store.onChange(listener);
  }

  problems(): ClusterProblem[] {
    return [...this.#serverProblems(), ...this.#unreadable.values()];
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#client.close();
  }

  /** One for all kinds that fail alike: a server that is gone is one problem, not eleven. */
  #serverProblems(): ClusterProblem[] {
    const kinds = new Map<string, { readonly since: number; readonly kinds: Kind[]; readonly listed: boolean }>();
    const now = performance.now();
    for (const [kind, { problem: told, problemSince, listed }] of this.#watches) {
      if (told === '' || (listed && now - problemSince < STALE_AFTER_MS)) continue;
      // What was asked differs from kind to kind, and what is wrong seldom does.
      const { path } = RESOURCES[kind];
      const problem = told.replace(`GET ${path}: `, `API server ${this.#client.server}: `);
      const known = kinds.get(problem);
      kinds.set(problem, {
        since: Math.min(problemSince, known?.since ?? problemSince),
        kinds: [...(known?.kinds ?? []), kind],
        listed: listed && (known?.listed ?? true),
      });
    }
    return [...kinds].map(([problem, { since, kinds: affected, listed }]) => ({
      subject: `Kubernetes API (${affected.length === this.#watches.size ? 'all kinds' : affected.join(', ')})`,
      message: listed ? `${problem}; what is known is ${age(now - since)} old and stays in use` : problem,
      stale: { sinceMs: listed ? Date.now() - (now - since) : undefined, reason: problem },
    }));
  }

  #put(kind: Kind, document: Parameters<ObjectReducer['reduce']>[1]): void {
    const { namespace = '', name } = document.metadata;
    const subject = `${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`;
    const before = this.#store.get(kind, namespace, name);
    try {
      const object = this.#reducer.reduce(kind, document, before);
      this.#unreadable.delete(subject);
      if (object !== before) this.#store.set(object);
    } catch (error) {
      if (!(error instanceof ObjectError)) throw error;
      this.#unreadable.set(subject, { subject, message: error.message, object: { kind, namespace, name } });
    }
  }

  #delete(kind: Kind, namespace: string, name: string): void {
    this.#unreadable.delete(`${kind} ${namespace === '' ? '' : `${namespace}/`}${name}`);
    this.#store.delete(kind, namespace, name);
  }
}

/** In steps, so that a line about it changes seldom. */
function age(ms: number): string {
  if (ms < 10_000) return 'some seconds';
  if (ms < 60_000) return `${Math.floor(ms / 10_000) * 10} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  return `${Math.floor(ms / 3_600_000)} h`;
}
