import type { FlowWindow } from '#core/flow/flow-window.ts';
import type { LostEvent } from '#proto/gen/flow/flow_pb.ts';
import type { NodeState } from '#proto/gen/relay/relay_pb.ts';

/** A loss, and the node that had it. */
export interface ToldLoss {
  /** `cluster/node`. */
  readonly nodeName: string;
  readonly event: LostEvent;
}

/** A node that a relay follows. */
export interface FollowedNode {
  /** `cluster/node`. */
  readonly name: string;
  readonly state: NodeState;
  /** Why it is not connected; empty when it is. */
  readonly message: string;
  readonly address: string;
  readonly version: string;
  readonly uptimeMs: number;
  readonly held: number;
  readonly capacity: number;
  readonly seen: number;
  /** How it is reached. */
  readonly tls: { readonly enabled: boolean; readonly serverName: string };
}

/** The flows that an observer serves: an agent's own, or those that a relay has merged. */
export interface ObservedFlows {
  readonly window: FlowWindow;
  /** Who observes: `cluster/node`, or a name for a relay. */
  readonly nodeName: string;
  /** The furthest that rows may stand out of their order by time, in milliseconds. */
  readonly disorderMs: number;
  /** Resolves at the next flow, loss or change of a node, after `atMostMs`, or when the signal aborts. */
  news(signal: AbortSignal, atMostMs: number): Promise<void>;
  /** Tells what is lost from now on; each call what came since the last. */
  lossReader(): () => ToldLoss[];
  /** Of a relay: the nodes it follows; undefined at an agent. */
  nodes?(): FollowedNode[];
  seen(): number;
  flowsPerSecond(): number;
}
