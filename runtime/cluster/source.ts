import type { ClusterObjects, Kind } from './objects.ts';

/** One object appeared (`old` undefined), changed, or went away (`new` undefined). */
export type ClusterChange = {
  [K in Kind]: { readonly kind: K; readonly old?: ClusterObjects[K]; readonly new?: ClusterObjects[K] };
}[Kind];

export interface ClusterProblem {
  /** What cannot be used: a file, or an object by kind, namespace and name. */
  readonly subject: string;
  readonly message: string;
  /** Which object it is about, where that is known. */
  readonly object?: { readonly kind: Kind; readonly namespace: string; readonly name: string };
  /** Set where nothing new can be read: what is known of the subject is old. */
  readonly stale?: Staleness;
}

/** That what is known may no longer be what there is. */
export interface Staleness {
  /** When it was last known to be up to date, in milliseconds since 1970; undefined = it was never read. */
  readonly sinceMs: number | undefined;
  readonly reason: string;
}

/**
 * The cluster's state as this process knows it. Objects are immutable: a change brings a new one. Listeners are called in
 * the order of the changes, after the snapshot holds them.
 */
export interface ClusterSource {
  /**
   * Resolves after the first full read; what was there then is in the snapshot and was also told as changes. Where that cannot
   * be made, it may resolve before it, with `unread`.
   */
  start(): Promise<void>;
  /** True as long as that could not be made: what is listed then says nothing about what there is. */
  readonly unread?: boolean;
  list<K extends Kind>(kind: K): ClusterObjects[K][];
  /** `namespace` is ignored for cluster-scoped kinds. */
  get<K extends Kind>(kind: K, namespace: string, name: string): ClusterObjects[K] | undefined;
  /** Returns the function that ends it. */
  onChange(listener: (change: ClusterChange) => void): () => void;
  /** What cannot be read at this moment. The last good state of it stays in use. */
  problems(): ClusterProblem[];
  stop(): Promise<void>;
}
