import type { ClusterSource } from '#runtime/cluster/source.ts';
import { LoaderError } from '../loader/loader-error.ts';
import { LinkSubscription } from '../netlink/link-subscription.ts';

/** Without a trigger everything is looked at this often, in milliseconds: news can be missed. */
const RESYNC_MS = 1_000;
/** The same while something is about to happen that nothing tells, such as a new pod's first process. */
const WATCHFUL_MS = 50;
/** Triggers that come close together share a run. */
const LEAST_PAUSE_MS = 10;
/**
 * Every millisecond of a run is owed four of pause, and time pays it off. Some of it may be owed: a change after a quiet
 * moment is not kept waiting by the last look around, and many in a row still leave the machine four fifths of its time.
 */
const PAUSE_PER_RUN = 4;
const MOST_OWED_MS = 400;

export interface SyncLoopOptions {
  readonly source: ClusterSource;
  /** Returns whether something is awaited that nothing will tell. */
  readonly run: () => boolean;
  /** Called after each run, with why it failed; empty when it did not. */
  readonly onRun: (problem: string) => void;
}

/** Runs the synchronisation when the cluster's state or the node's links change, when asked to, and every second. */
export class SyncLoop {
  readonly #options: SyncLoopOptions;
  readonly #links: LinkSubscription;
  readonly #unsubscribe: () => void;
  readonly #waiting = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #dueAt = Number.POSITIVE_INFINITY;
  #earliest = 0;
  /** When all pauses owed will have passed. */
  #owedUntil = 0;
  #stopped = false;

  constructor(options: SyncLoopOptions) {
    this.#options = options;
    const request = () => this.request();
    this.#links = new LinkSubscription({ added: request, removed: request, missed: request });
    this.#unsubscribe = options.source.onChange(request);
    this.#schedule(RESYNC_MS);
  }

  /** Asks for a run soon. */
  request(): void {
    this.#schedule(Math.max(LEAST_PAUSE_MS, this.#earliest - performance.now()));
  }

  /** Asks for a run and resolves after it. */
  next(): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    this.request();
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#links.close();
    this.#unsubscribe();
    this.#release();
  }

  #schedule(inMs: number): void {
    const at = performance.now() + inMs;
    if (this.#stopped || at >= this.#dueAt) return;
    clearTimeout(this.#timer);
    this.#dueAt = at;
    this.#timer = setTimeout(() => this.#run(), inMs);
  }

  #run(): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    const before = performance.now();
    let problem = '';
    let awaiting = false;
    try {
      awaiting = this.#options.run();
    } catch (error) {
      if (!(error instanceof LoaderError)) throw error;
      problem = error.message;
    }
    const took = performance.now() - before;
    const now = performance.now();
    this.#owedUntil = Math.max(this.#owedUntil, now) + Math.min(RESYNC_MS, took * PAUSE_PER_RUN);
    this.#earliest = Math.min(this.#owedUntil - MOST_OWED_MS, now + RESYNC_MS);
    this.#options.onRun(problem);
    this.#release();
    this.#schedule(awaiting ? Math.max(WATCHFUL_MS, this.#earliest - now) : RESYNC_MS);
  }

  #release(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
