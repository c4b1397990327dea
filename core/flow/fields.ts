/**
 * The one table of flow fields. The ring decoder, the column storage, the wire codec, filters, the table's columns and
 * messages for others derive from it: to add a field, add a row here.
 *
 * A flow is one observed record at one endpoint's interface. `source` and `destination` are those of the packet that
 * caused the record; counters are those of its connection, relative to the connection's original direction (from who
 * opened it), and hold what came since the connection's previous record at that interface.
 */

/** How a column is held in memory: an unsigned integer of that many bits, or a double holding a safe integer. */
export type FieldStorage = 'u8' | 'u16' | 'u32' | 'f64';

/** How values of a column tend to run, which decides what the codec tries: `rising` is sent as differences. */
export type FieldShape = 'rising' | 'plain';

export interface FlowField {
  readonly storage: FieldStorage;
  readonly shape: FieldShape;
  readonly doc: string;
}

export const FLOW_FIELDS = {
  sequence: { storage: 'f64', shape: 'rising', doc: 'position in its node boot; strictly rising within it; < 2^53' },
  timeSeconds: { storage: 'u32', shape: 'rising', doc: 'wall clock when seen in the kernel: whole seconds since 1970' },
  timeNanos: { storage: 'u32', shape: 'plain', doc: 'nanoseconds within timeSeconds; 0..999,999,999' },
  node: { storage: 'u16', shape: 'plain', doc: 'index of the node boot that observed it' },
  source: { storage: 'u32', shape: 'plain', doc: "endpoint index of the packet's sender" },
  destination: { storage: 'u32', shape: 'plain', doc: "endpoint index of the packet's receiver" },
  sourcePort: { storage: 'u16', shape: 'plain', doc: 'port of the sender; ICMP: type; 0 where there is none' },
  destinationPort: { storage: 'u16', shape: 'plain', doc: 'port of the receiver; ICMP: code; 0 where there is none' },
  protocol: { storage: 'u8', shape: 'plain', doc: 'IP protocol number' },
  verdict: { storage: 'u8', shape: 'plain', doc: 'see verdict.ts' },
  dropReason: { storage: 'u8', shape: 'plain', doc: 'see drop-reason.ts; 0 unless dropped' },
  observation: { storage: 'u8', shape: 'plain', doc: 'where it was seen, see observation.ts' },
  trigger: { storage: 'u8', shape: 'plain', doc: 'why the record was made, see trigger.ts' },
  direction: {
    storage: 'u8',
    shape: 'plain',
    doc: "the connection's direction at the observing endpoint, see direction.ts",
  },
  reply: { storage: 'u8', shape: 'plain', doc: '0 original direction, 1 reply, 2 not known' },
  tcpFlags: { storage: 'u8', shape: 'plain', doc: "flag bits of the TCP header's byte 13, see tcp-flags.ts" },
  packetsOriginal: { storage: 'u32', shape: 'plain', doc: 'packets in the original direction since the last record' },
  packetsReply: {
    storage: 'u32',
    shape: 'plain',
    doc: 'packets in the reply direction since the last record. Of a request: the number of its record, see layer7.ts',
  },
  bytesOriginal: { storage: 'u32', shape: 'plain', doc: 'bytes (IP header included) in the original direction' },
  bytesReply: { storage: 'u32', shape: 'plain', doc: 'bytes (IP header included) in the reply direction' },
  rttMicros: {
    storage: 'u32',
    shape: 'plain',
    doc: 'TCP handshake round trip in microseconds; 0 = not known. Of others than packets: see translation.ts, layer7.ts',
  },
  retransmits: {
    storage: 'u8',
    shape: 'plain',
    doc: "segments the observing endpoint's socket sent again; saturates",
  },
  policy: { storage: 'u16', shape: 'plain', doc: 'number of the policy decision; 0 = no policy had a say' },
} as const satisfies Record<string, FlowField>;

export type FlowFieldName = keyof typeof FLOW_FIELDS;

/** Field names in wire order. Append only: a codec version is the length of this list. */
export const FLOW_FIELD_NAMES = Object.keys(FLOW_FIELDS) as FlowFieldName[];
