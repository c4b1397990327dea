import type { MapDelta } from '../graph/map-delta.ts';
import type { FlowSort } from './flow-column.ts';
import type { AnyAnswer, Question } from './question.ts';
import type { FlowDetails, FlowRow } from './shown-flow.ts';

/** What one stream shows; tabs with equal views share it. */
export interface StreamView {
  readonly namespaces: readonly string[];
  /** Filter tokens, ANDed. */
  readonly filter: readonly string[];
  /** Of the map: a workload has one card on each node where it runs. */
  readonly perNode: boolean;
}

/** Flows that touch one card of the map. */
export interface Selection {
  readonly key: string;
  readonly kind: 'workload' | 'world' | 'host' | 'remote-node' | 'unknown';
  readonly cluster: string;
  readonly namespace: string;
  readonly workloadKind: string;
  readonly name: string;
}

/** The rows a table can see, of those below the anchor. */
export interface RowsQuery {
  readonly selection: Selection | null;
  /** Null: by arrival, the newest first. */
  readonly sort: FlowSort | null;
  /** Repeats as one row. */
  readonly group: boolean;
  /** Position that the newest row must lie below; null = follow what arrives. */
  readonly anchor: number | null;
  readonly first: number;
  readonly count: number;
}

export type FlowAnswer =
  | { readonly state: 'found'; readonly details: FlowDetails }
  /** Neither page nor server hold it; the server holds flows since `oldest` (milliseconds since 1970; null = none). */
  | { readonly state: 'gone'; readonly oldest: number | null }
  | { readonly state: 'failed'; readonly message: string };

export type ExportForm = 'csv' | 'jsonl';

/** What an export has come to. */
export type ExportAnswer =
  | { readonly state: 'running'; readonly done: number; readonly total: number }
  | { readonly state: 'done'; readonly file: Blob; readonly rows: number }
  /** Cancelled, or the view was left. */
  | { readonly state: 'stopped' };

export interface RowsSlice {
  /** The query it answers. */
  readonly query: RowsQuery;
  /** Position after the newest row counted in `total`. */
  readonly anchor: number;
  /** Matching rows up to the anchor that are still held. */
  readonly total: number;
  /** Matching flows after the anchor. */
  readonly arrived: number;
  /** Null where the flow has since been overwritten by newer ones. */
  readonly rows: readonly (FlowRow | null)[];
}

export interface StreamFailure {
  /** A sentence. */
  readonly message: string;
  /** Whether loading the page again may help where trying again does not. */
  readonly reload: boolean;
}

export type ConnectionState =
  /** `after` the failure that was last, unless something came in between: what is shown is as old as it was. */
  | { readonly phase: 'connecting'; readonly after?: StreamFailure }
  | { readonly phase: 'live' }
  /** Lost; tries again at `retryAt` (milliseconds since 1970). */
  | ({ readonly phase: 'waiting'; readonly retryAt: number; readonly attempt: number } & StreamFailure)
  /** The server refused this view; trying again would not help until somebody does something about it. */
  | { readonly phase: 'refused'; readonly reason: 'filter' | 'permission' | 'session'; readonly message: string };

export interface NodeSummary {
  readonly name: string;
  readonly state: 'connecting' | 'connected' | 'unavailable';
  readonly message: string;
  readonly flowsPerSecond: number;
  /** Pods and other endpoints it observes. */
  readonly endpoints: number;
  /** Flows lost there, or on the way from there. */
  readonly lost: number;
  /** Milliseconds since 1970; 0 while connected. */
  readonly retryAt: number;
}

export interface StaleSummary {
  readonly name: string;
  readonly reason: string;
  /** When it was last up to date, in milliseconds since 1970 by the server's clock; 0 = it was never read. */
  readonly since: number;
}

export interface StatusSummary {
  readonly version: string;
  readonly nodes: readonly NodeSummary[];
  readonly flowsPerSecond: number;
  readonly flowsHeld: number;
  /** By source, in words; only what is not zero. */
  readonly losses: readonly { readonly where: string; readonly count: number }[];
  readonly lost: number;
  /** Whether any flow has told of a request (layer 7). */
  readonly tellsRequests: boolean;
  /** Empty when the flows are observed live. */
  readonly replayReason: string;
  /** Where the cluster's state comes from and nothing new can be read. */
  readonly stale: readonly StaleSummary[];
  /** How far the server's clock is ahead of this machine's, in milliseconds; 0 = not known. */
  readonly clockAhead: number;
}

/** Flows that one negated token keeps out of the view. */
export interface HiddenCount {
  /** In its canonical form. */
  readonly token: string;
  readonly flows: number;
  readonly flowsPerSecond: number;
}

export interface NamespaceSummary {
  readonly cluster: string;
  readonly name: string;
  readonly pods: number;
}

/** From a tab to the session. */
export type TabMessage =
  /** `base` is the URL of the API, ending in a slash. Replaces the tab's former view. */
  | { readonly type: 'open'; readonly base: string; readonly view: StreamView }
  | { readonly type: 'rows'; readonly query: RowsQuery }
  /** The last rows are on the screen: the next may come. */
  | { readonly type: 'drawn' }
  /** Everything about the flow with this id. */
  | { readonly type: 'flow'; readonly id: number; readonly flow: string }
  /** All flows of the table as a file, in its order; repeats are not grouped. */
  | { readonly type: 'export'; readonly id: number; readonly form: ExportForm; readonly query: RowsQuery }
  | { readonly type: 'cancel-export'; readonly id: number }
  /** Whether a person can see the tab. */
  | { readonly type: 'visible'; readonly visible: boolean }
  /** Try again now rather than at `retryAt`. */
  | { readonly type: 'retry' }
  | { readonly type: 'call'; readonly id: number; readonly method: 'namespaces' }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  /** The other end of the port belongs to the tab's map worker. */
  | { readonly type: 'map'; readonly port: MessagePort }
  | { readonly type: 'bye' };

/** From the session to a tab. */
export type SessionMessage =
  | { readonly type: 'connection'; readonly state: ConnectionState }
  | { readonly type: 'status'; readonly status: StatusSummary }
  | { readonly type: 'rows'; readonly slice: RowsSlice }
  | { readonly type: 'flow'; readonly id: number; readonly answer: FlowAnswer }
  | { readonly type: 'export'; readonly id: number; readonly answer: ExportAnswer }
  | { readonly type: 'result'; readonly id: number; readonly namespaces: readonly NamespaceSummary[] }
  | { readonly type: 'answer'; readonly id: number; readonly answer: AnyAnswer }
  | { readonly type: 'hidden'; readonly hidden: readonly HiddenCount[] }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };

/** From the session to a map worker. */
export type MapMessage =
  /** A new view: what was known no longer counts. */
  { readonly type: 'reset' } | { readonly type: 'delta'; readonly delta: MapDelta };
