import type { ApiClient } from '../kubernetes/api-client.ts';
import { ListWatch, type ListWatchLimits } from '../kubernetes/list-watch.ts';
import { ObjectReducer } from '../kubernetes/reduce-object.ts';
import { RESOURCES } from '../kubernetes/resources.ts';
import { KeptStateFile } from './kept-state.ts';
import { ObjectStore } from './object-store.ts';
import { type ClusterObject, type ClusterObjects, KINDS, type Kind } from './objects.ts';
import { ObjectError } from './read-object.ts';
import type { ClusterChange, ClusterProblem, ClusterSource } from './source.ts';
import { StateKeeper } from './state-keeper.ts';

export interface KubernetesSourceOptions extends ListWatchLimits {
  readonly client: ApiClient;
  /** Whether the state of pods' containers is wanted; an agent needs none. */
  readonly containerStatuses?: boolean;
  /**
   * For so long `start` waits for a server that gives no answer, in milliseconds; then it resolves, and the source is `unread` until
   * there is one. Default: without end.
   */
  readonly patienceMs?: number;
  /**
   * Where what is known is kept for the next process. What is kept there is taken for what there is when a server has given no answer
   * for a moment, or not all of it within `patienceMs`.
   */
  readonly keepIn?: string;
  /** Told while the first read is waited for, at most every ten seconds. */
  readonly onWaiting?: (problem: string) => void;
}

const TELL_EVERY_MS = 10_000;
const LOOK_EVERY_MS = 250;
/** A server that is being started anew is waited for this long before what an earlier process knew is taken for true. */
const MOMENT_MS = 1_000;
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
  readonly #keeper: StateKeeper | undefined;
  #running: Promise<unknown> | undefined;
  #unread = true;
  /** When what an earlier process knew was up to date, where it is in use for kinds that were not read yet. */
  #recalledAsOfMs: number | undefined;

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
    if (options.keepIn === undefined) return;
    const source = this;
    this.#keeper = new StateKeeper(new KeptStateFile(options.keepIn, this.#client.server), {
      get unread() {
        return source.#unread;
      },
      get staleSinceMs() {
        return source.#staleSinceMs();
      },
      objects: () => source.#objects(),
    });
    this.#store.onChange(() => this.#keeper?.changed());
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
      this.#recalledAsOfMs = undefined;
    });
    // Without the second, a fault in a watch would leave the first waiting for ever.
    const end = Promise.race([read, this.#running]);
    const waiting = setInterval(() => {
      const [problem] = this.#serverProblems();
      if (problem !== undefined) this.#options.onWaiting?.(problem.message);
    }, TELL_EVERY_MS);
    waiting.unref();
    void end.catch(() => {}).then(() => clearInterval(waiting));
    const { patienceMs = Number.POSITIVE_INFINITY } = this.#options;
    const startedAt = performance.now();
    const waited = () => performance.now() - startedAt;
    const silent = () => this.#serverProblems().length > 0;
    if (this.#keeper !== undefined) {
      const enough = () => waited() >= patienceMs || (waited() >= MOMENT_MS && silent());
      await Promise.race([end, this.#until(enough)]);
      if (this.#unread) await this.#recall(this.#keeper);
      if (!this.#unread) return;
    }
    // One that answers slowly is waited for.
    await Promise.race([end, this.#until(() => waited() >= patienceMs && silent())]);
  }

  /** Resolves when it is so; or never, once there is nothing to be waited for. */
  #until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const looking = setInterval(() => {
        const so = isSo();
        if (so) resolve();
        if (so || !this.#unread || this.#stopping.signal.aborted) clearInterval(looking);
      }, LOOK_EVERY_MS);
    });
  }

  /** Takes what an earlier process knew for what there is, of what was not read yet. */
  async #recall(keeper: StateKeeper): Promise<void> {
    const kept = await keeper.recall();
    if (kept === undefined || !this.#unread || this.#stopping.signal.aborted) return;
    for (const object of kept.objects) {
      const { kind, metadata } = object;
      const watch = this.#watches.get(kind);
      if (watch === undefined || watch.listed || this.#store.get(kind, metadata.namespace, metadata.name)) continue;
      watch.assume(metadata.namespace, metadata.name);
      this.#store.set(this.#reducer.share(object));
    }
    this.#recalledAsOfMs = kept.asOfMs;
    this.#unread = false;
  }

  *#objects(): Iterable<ClusterObject> {
    for (const kind of KINDS) yield* this.#store.list(kind);
  }

  #staleSinceMs(): number | undefined {
    const since = this.#serverProblems().flatMap(({ stale }) => stale?.sinceMs ?? []);
    return since.length === 0 ? undefined : Math.min(...since);
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
    const unkept = this.#keeper?.problem ?? '';
    return [
      ...this.#serverProblems(),
      ...this.#unreadable.values(),
      ...(unkept === '' ? [] : [{ subject: 'kept cluster state', message: unkept }]),
    ];
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await this.#keeper?.stop();
    this.#client.close();
  }

  /** One for all kinds that fail alike: a server that is gone is one problem, not eleven. */
  #serverProblems(): ClusterProblem[] {
    const kinds = new Map<string, { readonly kinds: Kind[]; readonly sinceMs: number | undefined }>();
    const now = performance.now();
    const recalled = this.#recalledAsOfMs;
    for (const [kind, { problem: told, problemSince, listed }] of this.#watches) {
      if (listed ? told === '' || now - problemSince < STALE_AFTER_MS : told === '' && recalled === undefined) continue;
      // What was asked differs from kind to kind, and what is wrong seldom does.
      const { path } = RESOURCES[kind];
      const problem =
        told === ''
          ? `API server ${this.#client.server}: not everything is read yet`
          : told.replace(`GET ${path}: `, `API server ${this.#client.server}: `);
      const sinceMs = listed ? Date.now() - (now - problemSince) : recalled;
      const known = kinds.get(problem);
      kinds.set(problem, {
        kinds: [...(known?.kinds ?? []), kind],
        sinceMs: known === undefined ? sinceMs : earlier(known.sinceMs, sinceMs),
      });
    }
    return [...kinds].map(([problem, { kinds: affected, sinceMs }]) => ({
      subject: `Kubernetes API (${affected.length === this.#watches.size ? 'all kinds' : affected.join(', ')})`,
      message:
        sinceMs === undefined
          ? problem
          : `${problem}; what is known is ${age(Date.now() - sinceMs)} old and stays in use`,
      stale: { sinceMs, reason: problem },
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

/** Undefined = never, which is before everything. */
function earlier(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : Math.min(one, other);
}

/** In steps, so that a line about it changes seldom. */
function age(ms: number): string {
  if (ms < 10_000) return 'some seconds';
  if (ms < 60_000) return `${Math.floor(ms / 10_000) * 10} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  return `${Math.floor(ms / 3_600_000)} h`;
}
