import type { ClientSecurity } from '#runtime/grpc/tls.ts';

/** A node agent to follow. */
export interface PeerTarget {
  /** The node's name. */
  readonly name: string;
  /** `host:port` of its FlowService. */
  readonly address: string;
  /** TLS; without it, the connection is plain. */
  readonly security?: ClientSecurity;
}
