import type { FlowColumns } from '#core/flow/columns.ts';

/**
 * How many packets a row of a drop stands for. Of very many alike an agent tells ten a second, and with the next the count of those
 * in between; another Hubble tells each by itself, and no count.
 */
export function droppedPackets(columns: FlowColumns, row: number): number {
  return Math.max(1, columns.packetsOriginal[row] + columns.packetsReply[row]);
}
