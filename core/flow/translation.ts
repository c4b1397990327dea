import type { FlowColumns } from './columns.ts';
import { OBSERVATION } from './observation.ts';

/** Observation points at a socket are Hubble's `SocketTranslationPoint` plus this. */
const SOCKET_POINTS = 200;

/**
 * Whether a row tells what was exchanged at a socket (a Service's address for a backend's, or back): an event of a program, not
 * traffic, so nobody counts it as a connection or as packets. Its end that is the program's has the cgroup.
 */
export function isTranslation(observation: number): boolean {
  return observation > SOCKET_POINTS;
}

/** Number of Hubble's `SocketTranslationPoint`; 0 when the row was not observed at a socket. */
export function socketPoint(observation: number): number {
  return isTranslation(observation) ? observation - SOCKET_POINTS : 0;
}

/** The other way round: from Hubble's `SocketTranslationPoint`. */
export function observationOfSocketPoint(point: number): number {
  return point === 0 ? OBSERVATION.UNKNOWN : SOCKET_POINTS + point;
}

/**
 * The socket's cookie. A translation has no round trip and nothing sent again, so its rows hold the cookie there: 32 and 8
 * bits of it, more sockets than a machine makes between two boots.
 */
export function socketCookie(columns: FlowColumns, row: number): number {
  return isTranslation(columns.observation[row])
    ? columns.retransmits[row] * 0x1_0000_0000 + columns.rttMicros[row]
    : 0;
}

/** Whether a row's counters are those of packets: not of a translation, nor of a request (layer7.ts). */
export function countsPackets(observation: number): boolean {
  return observation < OBSERVATION.LAYER7;
}

/** TCP handshake round trip in microseconds; 0 = not known. */
export function roundTripMicros(columns: FlowColumns, row: number): number {
  return countsPackets(columns.observation[row]) ? columns.rttMicros[row] : 0;
}

/** Segments sent again. */
export function sentAgain(columns: FlowColumns, row: number): number {
  return countsPackets(columns.observation[row]) ? columns.retransmits[row] : 0;
}

/** @param low the lower 32 bits; of `high` 8 more are kept */
export function writeSocketCookie(columns: FlowColumns, row: number, low: number, high: number): void {
  columns.rttMicros[row] = low;
  columns.retransmits[row] = high & 0xff;
}
