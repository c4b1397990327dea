import type { FlowWindow } from '#core/flow/flow-window.ts';
import type { NodeStatus, StatusResponse } from '#proto/gen/waggle/v1/flow_pb.ts';
import type { ClientSecurity } from '#runtime/grpc/tls.ts';
import type { LossLedger } from './loss-ledger.ts';
import type { RateMeter } from './rate-meter.ts';

/** Hears of the window's positions [from, to), just filled. */
export type RowsListener = (from: number, to: number) => void;

/** A node as the relay knows it, with what its agent last said of the flows it holds. */
export interface FollowedStatus {
  readonly status: NodeStatus;
  readonly answer: StatusResponse | undefined;
  readonly startedMs: number | undefined;
  /** How its agent is reached; undefined where without TLS. */
  readonly security?: ClientSecurity;
}

/**
 * Flows of every node in one window, as those who answer questions about them know them: the relay itself, or the part of
 * it that some people may see. Nothing that is told to anyone comes from elsewhere.
 */
export interface MergedFlows {
  readonly window: FlowWindow;
  readonly losses: LossLedger;
  readonly rate: RateMeter;
  /** Of those that tell of layer 7. */
  readonly requests: RateMeter;
  /** Grows when a node comes, goes, or changes its state. */
  readonly nodesVersion: number;
  /** Calls back whenever the window has new rows. Returns the function that ends it. */
  onRows(listener: RowsListener): () => void;
  nodes(): NodeStatus[];
  /** The nodes with what their agents last said of the flows they hold. */
  followed(): FollowedStatus[];
  /** Whether that node's own agent reports its flows at this moment. */
  observes(cluster: string, node: string): boolean;
  /** By the window's node number: the sequence of its newest row up to the window's end; 0 = none. */
  sequenceAtEnd(node: number): number;
  /**
   * By the window's node number: from which sequence on nothing has gone from the window that was there to be seen.
   *
   * @param first the sequence of the oldest row of that node that the window holds, or of the one that comes next
   */
  heldSince(node: number, first: number): number;
}
