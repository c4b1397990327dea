import { Backoff, type BackoffLimits } from '../backoff.ts';
import { pause } from '../pause.ts';
import type { ApiClient } from './api-client.ts';
import { ApiError, statusError } from './api-error.ts';

/** A collection of the API and which part of it is followed. */
export interface Collection {
  /** From the root: `/api/v1/pods`. */
  readonly path: string;
  /** As the API writes them; the server leaves out what they do not select. */
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /** Asks for metadata alone. */
  readonly metadataOnly?: boolean;
  /** A custom resource: that the server does not know it means that there is none, until it does. */
  readonly optional?: boolean;
}

/** Who is told. Every object is told again after a new list only where its version changed. */
export interface CollectionListener {
  put(document: ApiDocument): void;
  delete(namespace: string, name: string): void;
}

export interface ApiDocument {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

export interface ListWatchLimits {
  /** Objects per page of a list: what one answer holds is in memory at once, as text and as objects. */
  readonly pageSize?: number;
  /** Runs one page after the other where several collections are followed, so that not all have one in memory at once. */
  readonly inTurn?: <T>(work: () => Promise<T>) => Promise<T>;
  readonly backoff?: BackoffLimits;
  /** How often a kind that is not there is asked for. */
  readonly absentMs?: number;
  /** A watch is ended by the server after at least this long, so that clients spread over its replicas. */
  readonly watchSeconds?: number;
  /** A watch without a byte for this long is dead. */
  readonly silenceMs?: number;
}

interface List {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items?: readonly ApiDocument[];
}

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: ApiDocument;
}

const PAGE_SIZE = 100;
const BACKOFF: BackoffLimits = { firstMs: 250, mostMs: 10_000 };
const ABSENT_MS = 15_000;
/** What was there is forgotten when a server that is ready has denied knowing its kind this often in a row. */
const DENIALS = 5;
const DENIAL_MS = 500;
const WATCH_SECONDS = 300;
const METADATA_ONLY = 'application/json;as=PartialObjectMetadata';

/**
 * Follows one collection of the API: a list in pages, then a watch from there, with bookmarks, and again from where it was when
 * it breaks. A new list is made when the server has forgotten that place (410). While it gives no answer what is known stays.
 */
export class ListWatch {
  readonly #client: ApiClient;
  readonly #collection: Collection;
  readonly #listener: CollectionListener;
  readonly #limits: ListWatchLimits;
  readonly #backoff: Backoff;
  /** What was told, and in which version, by `namespace/name`. */
  readonly #versions = new Map<string, string>();
  /** Where a watch goes on; empty = a list is needed. */
  #position = '';
  #listed = false;
  #denials = 0;
  #problem = '';
  #problemSince = 0;

  constructor(client: ApiClient, collection: Collection, listener: CollectionListener, limits: ListWatchLimits = {}) {
    this.#client = client;
    this.#collection = collection;
    this.#listener = listener;
    this.#limits = limits;
    this.#backoff = new Backoff(limits.backoff ?? BACKOFF);
  }

  /** Whether it was listed whole at least once. */
  get listed(): boolean {
    return this.#listed;
  }

  /** Why it is not up to date; empty while it is. */
  get problem(): string {
    return this.#problem;
  }

  /** When it was up to date last, by `performance.now()`; of use while there is a problem. */
  get problemSince(): number {
    return this.#problemSince;
  }

  get size(): number {
    return this.#versions.size;
  }

  /** Says that it was there before this process was: it is told again when it is listed, and deleted when it is not. */
  assume(namespace: string, name: string): void {
    const key = `${namespace}/${name}`;
    if (!this.#versions.has(key)) this.#versions.set(key, '');
  }

  /**
   * Runs until the signal.
   * @param onListed called once, when it was listed whole the first time
   */
  async run(signal: AbortSignal, onListed: () => void): Promise<void> {
    while (!signal.aborted) {
      let pauseMs: number;
      try {
        if (this.#position === '') {
          await this.#list(signal);
          if (!this.#listed) {
            this.#listed = true;
            onListed();
          }
        }
        await this.#watch(signal);
        // Ended in good order: on from there, yet not in a tight circle with a server that ends everything at once.
        pauseMs = this.#backoff.next();
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        if (error.status === 404 && this.#collection.optional) {
          const absent = await this.#denied(signal);
          pauseMs = absent ? (this.#limits.absentMs ?? ABSENT_MS) : DENIAL_MS;
          if (absent && !this.#listed) {
            this.#listed = true;
            onListed();
          }
        } else {
          pauseMs = Math.max(this.#failed(error), error.retryAfterMs ?? 0);
        }
      }
      await pause(pauseMs, signal);
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { path, fieldSelector, labelSelector } = this.#collection;
    const seen = new Set<string>();
    let position = '';
    let next: string | undefined;
    do {
      const query = { limit: this.#limits.pageSize ?? PAGE_SIZE, continue: next, fieldSelector, labelSelector };
      const read = async () => {
        const list: List = await this.#client.request('GET', path, { query, accept: this.#accept('List'), signal });
        for (const document of list.items ?? []) {
          seen.add(keyOf(document));
          this.#put(document);
        }
        position = list.metadata?.resourceVersion ?? '';
        next = list.metadata?.continue || undefined;
      };
      await (this.#limits.inTurn?.(read) ?? read());
    } while (next !== undefined);
    for (const key of this.#versions.keys()) if (!seen.has(key)) this.#delete(key);
    this.#position = position;
    this.#denials = 0;
    this.#wellAgain();
  }

  async #watch(signal: AbortSignal): Promise<void> {
    const { path, fieldSelector, labelSelector } = this.#collection;
    const { watchSeconds = WATCH_SECONDS, silenceMs } = this.#limits;
    const query = {
      watch: 1,
      allowWatchBookmarks: true,
      resourceVersion: this.#position,
      timeoutSeconds: Math.round(watchSeconds * (1 + Math.random())),
      fieldSelector,
      labelSelector,
    };
    const startedAt = performance.now();
    const lines = this.#client.lines(path, { query, signal, accept: this.#accept('') }, silenceMs, () =>
      this.#wellAgain(),
    );
    for await (const line of lines) {
      const { type, object } = parseEvent(line, path);
      if (type === 'ERROR') {
        throw statusError(`watch of ${path}`, Number((object as { code?: unknown }).code) || 500, object);
      }
      if (type === 'ADDED' || type === 'MODIFIED') this.#put(object);
      else if (type === 'DELETED') this.#delete(keyOf(object));
      this.#position = object.metadata.resourceVersion ?? this.#position;
      this.#backoff.reset();
    }
    if (performance.now() - startedAt > 1_000) this.#backoff.reset();
  }

  #put(document: ApiDocument): void {
    const key = keyOf(document);
    const version = document.metadata.resourceVersion ?? '';
    if (version !== '' && this.#versions.get(key) === version) return;
    this.#versions.set(key, version);
    this.#listener.put(document);
  }

  #delete(key: string): void {
    if (!this.#versions.delete(key)) return;
    const slash = key.indexOf('/');
    this.#listener.delete(key.slice(0, slash), key.slice(slash + 1));
  }

  #accept(list: 'List' | ''): string | undefined {
    return this.#collection.metadataOnly ? `${METADATA_ONLY}${list};g=meta.k8s.io;v=v1,application/json` : undefined;
  }

  #wellAgain(): void {
    this.#problem = '';
  }

  /**
   * The server does not know the kind: so do servers that have only begun to start. Returns whether there is none.
   */
  async #denied(signal: AbortSignal): Promise<boolean> {
    this.#position = '';
    this.#denials++;
    const ready = this.#denials > 1 && (await this.#client.request('GET', '/readyz', { signal }).then(yes, no));
    // What is known is given up late: an API server of several may be behind the others.
    if (!ready || this.#denials < (this.#versions.size === 0 ? 2 : DENIALS)) return false;
    for (const key of [...this.#versions.keys()]) this.#delete(key);
    this.#wellAgain();
    return true;
  }

  #failed(error: ApiError): number {
    // A place that is forgotten is nothing to be said: the next list mends it.
    if (error.gone) this.#position = '';
    else {
      if (this.#problem === '') this.#problemSince = performance.now();
      this.#problem = error.message;
    }
    return this.#backoff.next();
  }
}

const yes = () => true;
const no = () => false;

function keyOf({ metadata }: ApiDocument): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

function parseEvent(line: string, path: string): WatchEvent {
  let event: unknown;
  try {
    event = JSON.parse(line);
  } catch {
    // Cut off in the middle: the connection is as good as broken.
  }
  const { type, object } = (event ?? {}) as Partial<WatchEvent>;
  const whole = typeof object === 'object' && object !== null && typeof type === 'string';
  if (whole && (type === 'ERROR' || typeof object.metadata === 'object')) return { type, object };
  throw new ApiError(`watch of ${path}: an event that is none`, 0);
}
