/** A node agent to follow. */
export interface PeerTarget {
  /** The node's name. */
  readonly name: string;
  /** `host:port` of its FlowService. */
  readonly address: string;
}
