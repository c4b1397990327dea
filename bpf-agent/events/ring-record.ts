/**
 * TypeScript twin of `struct flow_record` (bpf-agent/bpf/record.h): byte offsets into one ring record.
 *
 * Integers are in host byte order (little-endian), addresses in network order. `bpf-agent/maps/layout.spec.ts` checks
 * every offset against the type information of the built object.
 *
 * Reading (`at` = the record's byte offset in the ring's data area, a multiple of 8):
 *
 *     view.u32[(at + RECORD.sourceIdentity) >>> 2]
 *     view.u16[(at + RECORD.sourcePort) >>> 1]
 *     view.u8[at + RECORD.trigger]
 */
export const RECORD = {
  /** u64, CLOCK_MONOTONIC nanoseconds: low word here, high word 4 bytes on. See {@link recordTime}. */
  time: 0,
  /** 16 bytes, network order; IPv4 as ::ffff:a.b.c.d. */
  sourceAddress: 8,
  destinationAddress: 24,
  /** u32 */
  sourceIdentity: 40,
  destinationIdentity: 44,
  interfaceIndex: 48,
  /** u32, 0 = the interface is not a known endpoint. */
  endpointId: 52,
  /** u16; ICMP: type. */
  sourcePort: 56,
  /** u16; ICMP: code. */
  destinationPort: 58,
  /** u8 from here */
  protocol: 60,
  tcpFlags: 61,
  observation: 62,
  trigger: 63,
  direction: 64,
  reply: 65,
  verdict: 66,
  dropReason: 67,
  ipv6: 68,
  /** u32 from here; counters are what came since the connection's previous record at this interface. */
  packetsOriginal: 72,
  packetsReply: 76,
  bytesOriginal: 80,
  bytesReply: 84,
  /** Handshake round trip in microseconds, in every record once known; 0 = unknown. */
  rttMicros: 88,
  retransmits: 92,
  ruleId: 96,
  policyRevision: 100,
  auditRuleId: 104,
  serviceId: 108,
} as const;

/** What stands in the places of the counters when the trigger is TRANSLATION: the socket's cookie, the program's cgroup. */
export const TRANSLATION_RECORD = { socketLow: 72, socketHigh: 76, cgroupLow: 80, cgroupHigh: 84 } as const;

/** Size of one record in bytes. In the ring an 8-byte header stands before each. */
export const RECORD_BYTES = 112;

/** The ring's data area seen through arrays of each width. All views share the same bytes; none may be written. */
export interface RingView {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly u32: Uint32Array;
}

/** The record's kernel time in nanoseconds as a Number (exact for the first 104 days of uptime, then within 2 ns). */
export function recordTime(view: RingView, at: number): number {
  const word = (at + RECORD.time) >>> 2;
  return view.u32[word + 1]! * 0x1_0000_0000 + view.u32[word]!;
}
