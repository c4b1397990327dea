export interface FlowEnd {
  readonly name: string;
  readonly namespace: string;
  readonly address: string;
  readonly port: number;
  readonly pod: string;
  readonly workload: string;
  readonly node: string;
  readonly identity: number;
}

/** One flow for display, oriented as its connection: `source` is who opened it, also where the packet was a reply. */
export interface FlowRow {
  /** Of the window: unique while the view is open. */
  readonly position: number;
  /** Unique in the world: `cluster/node/boot/sequence`. */
  readonly id: string;
  /** Milliseconds since 1970, with fraction. */
  readonly time: number;
  readonly source: FlowEnd;
  readonly destination: FlowEnd;
  /** Destination port of the connection; 0 where the protocol has none. */
  readonly port: number;
  readonly protocol: string;
  /** Hubble's verdict number. */
  readonly verdict: number;
  /** Why it was dropped, in words; empty unless it was. */
  readonly reason: string;
  /** Policies that decided; empty where none had a say. */
  readonly policy: string;
  readonly info: string;
  /** What it says of a request, in a few words; empty where it is none. */
  readonly layer7: string;
  readonly tcpFlags: string;
  /** `ingress`, `egress` or empty: as the observing endpoint sees the connection. */
  readonly direction: string;
  readonly reply: boolean;
  readonly node: string;
  readonly bytes: number;
  readonly packets: number;
  readonly rttMicros: number;
  readonly retransmits: number;
  /** How many flows the row stands for; numbers are their sums, and all else is the latest's. */
  readonly count: number;
  /** Of a row that stands for several: what differs among them. */
  readonly varying?: {
    readonly source: boolean;
    readonly destination: boolean;
    readonly sourcePort: boolean;
    readonly node: boolean;
    readonly policy: boolean;
    readonly layer7: boolean;
  };
}

/** One value of a flow's details. */
export interface FlowFact {
  readonly section: 'flow' | 'request' | 'source' | 'destination' | 'traffic';
  readonly name: string;
  readonly text: string;
  /** Filter tokens that ask for flows with this value; the second asks for this end only. */
  readonly tokens: readonly string[];
  /** The policy it names (`policyKey`), and the path of its rule; empty for the policy as a whole. */
  readonly policy?: { readonly key: string; readonly rule: string };
}

/** Everything about one flow. */
export interface FlowDetails {
  readonly row: FlowRow;
  readonly facts: readonly FlowFact[];
  /** In Hubble's shape, indented. */
  readonly json: string;
}
