import type { FlowColumns } from '#core/flow/columns.ts';
import { DIRECTION, REPLY } from '#core/flow/direction.ts';
import { OBSERVATION } from '#core/flow/observation.ts';
import { PROTOCOL } from '#core/flow/protocol.ts';
import { TCP_FLAG } from '#core/flow/tcp-flags.ts';

/** Which way a row stands to its connection. */
export const ORIENTATION = {
  /** The packet's sender opened the connection. */
  FORTH: 0,
  /** The packet's receiver opened it. */
  BACK: 1,
  /** The row itself does not say. */
  OPEN: 2,
} as const;

/** What a row says by itself about who opened its connection. */
export function statedOrientation(columns: FlowColumns, row: number): number {
  const reply = columns.reply[row];
  if (reply !== REPLY.UNKNOWN) return reply === REPLY.REPLY ? ORIENTATION.BACK : ORIENTATION.FORTH;
  if (columns.protocol[row] === PROTOCOL.TCP && columns.tcpFlags[row] & TCP_FLAG.SYN) {
    return columns.tcpFlags[row] & TCP_FLAG.ACK ? ORIENTATION.BACK : ORIENTATION.FORTH;
  }
  return ORIENTATION.OPEN;
}

/** Servers listen on the lower port, nearly always. */
export function guessedFromPorts(sourcePort: number, destinationPort: number): number {
  return sourcePort < destinationPort ? ORIENTATION.BACK : ORIENTATION.FORTH;
}

/** True when the row was observed at the end that did not open the connection. `back`: the packet goes towards the opener. */
export function observedByServer(columns: FlowColumns, row: number, back: boolean): boolean {
  const observation = columns.observation[row];
  if (observation === OBSERVATION.TO_STACK) return back;
  if (observation === OBSERVATION.TO_ENDPOINT) return !back;
  return columns.direction[row] !== DIRECTION.EGRESS;
}
