import type { StructTwin } from './struct-layout.ts';

/** Twin of `struct settings` (bpf/settings.h): fixed when the programs are loaded. All in milliseconds. */
export interface DatapathTimeouts {
  /** An active connection tells at least this often; 0 = with every packet, for measuring. */
  readonly recordInterval: number;
  /** TCP, both directions seen. */
  readonly established: number;
  /** TCP, one side has sent its FIN. */
  readonly halfClosed: number;
  /** TCP after RST or both FINs; SCTP after its shutdown. */
  readonly closing: number;
  /** TCP, only one direction seen. */
  readonly opening: number;
  readonly udp: number;
  readonly icmp: number;
  /** SCTP and everything else. */
  readonly other: number;
}

export const DEFAULT_TIMEOUTS: DatapathTimeouts = {
  recordInterval: 5_000,
  established: 8_000_000,
  halfClosed: 120_000,
  closing: 5_000,
  opening: 60_000,
  udp: 30_000,
  icmp: 10_000,
  other: 60_000,
};

export const SETTINGS_TWIN: StructTwin = {
  struct: 'settings',
  size: 72,
  fields: {
    recordInterval: [0, 8],
    timeoutEstablished: [8, 8],
    timeoutHalfClosed: [16, 8],
    timeoutClosing: [24, 8],
    timeoutOpening: [32, 8],
    timeoutUdp: [40, 8],
    timeoutIcmp: [48, 8],
    timeoutOther: [56, 8],
    tick: [64, 8],
  },
};

/**
 * The read-only data for these time-outs; fractions of a millisecond are kept.
 * @param tick nanoseconds between two ticks of this kernel's clock
 */
export function encodeSettings(timeouts: DatapathTimeouts, tick: number): Uint8Array {
  const { recordInterval, established, halfClosed, closing, opening, udp, icmp, other } = timeouts;
  const inOrder = [recordInterval, established, halfClosed, closing, opening, udp, icmp, other];
  const nanoseconds = [...inOrder.map((milliseconds) => Math.round(milliseconds * 1e6)), tick];
  return new Uint8Array(new BigUint64Array(nanoseconds.map(BigInt)).buffer);
}
