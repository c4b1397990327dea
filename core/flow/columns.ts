import { type FieldStorage, FLOW_FIELD_NAMES, FLOW_FIELDS, type FlowFieldName } from './fields.ts';

interface StorageArrays {
  u8: Uint8Array;
  u16: Uint16Array;
  u32: Uint32Array;
  f64: Float64Array;
}

/** Flows as a structure of arrays, all of one length (the capacity). Row i is element i of every array. */
export type FlowColumns = { readonly [K in FlowFieldName]: StorageArrays[(typeof FLOW_FIELDS)[K]['storage']] };

const ARRAY_OF: { [S in FieldStorage]: new (length: number) => StorageArrays[S] } = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  f64: Float64Array,
};

/** Bytes one row takes in memory, dictionaries not included. */
export const BYTES_PER_ROW = FLOW_FIELD_NAMES.reduce(
  (sum, name) => sum + { u8: 1, u16: 2, u32: 4, f64: 8 }[FLOW_FIELDS[name].storage],
  0,
);

/** @param capacity rows; all fields are 0 */
export function allocateColumns(capacity: number): FlowColumns {
  return Object.fromEntries(
    FLOW_FIELD_NAMES.map((name) => [name, new ARRAY_OF[FLOW_FIELDS[name].storage](capacity)]),
  ) as unknown as FlowColumns;
}

/** Copies one row. Written out by hand: a loop over field names costs ten times as much. */
export function copyRow(from: FlowColumns, row: number, to: FlowColumns, toRow: number): void {
  to.sequence[toRow] = from.sequence[row];
  to.timeSeconds[toRow] = from.timeSeconds[row];
  to.timeNanos[toRow] = from.timeNanos[row];
  to.node[toRow] = from.node[row];
  to.source[toRow] = from.source[row];
  to.destination[toRow] = from.destination[row];
  to.sourcePort[toRow] = from.sourcePort[row];
  to.destinationPort[toRow] = from.destinationPort[row];
  to.protocol[toRow] = from.protocol[row];
  to.verdict[toRow] = from.verdict[row];
  to.dropReason[toRow] = from.dropReason[row];
  to.observation[toRow] = from.observation[row];
  to.trigger[toRow] = from.trigger[row];
  to.direction[toRow] = from.direction[row];
  to.reply[toRow] = from.reply[row];
  to.tcpFlags[toRow] = from.tcpFlags[row];
  to.packetsOriginal[toRow] = from.packetsOriginal[row];
  to.packetsReply[toRow] = from.packetsReply[row];
  to.bytesOriginal[toRow] = from.bytesOriginal[row];
  to.bytesReply[toRow] = from.bytesReply[row];
  to.rttMicros[toRow] = from.rttMicros[row];
  to.retransmits[toRow] = from.retransmits[row];
  to.policy[toRow] = from.policy[row];
}

/** Wall-clock nanoseconds since 1970 of a row, exact. For the edges: it makes a BigInt. */
export function rowTimeNs(columns: FlowColumns, row: number): bigint {
  return BigInt(columns.timeSeconds[row]) * 1_000_000_000n + BigInt(columns.timeNanos[row]);
}

/** Wall-clock milliseconds since 1970 of a row, with fraction: good for ordering within about 0.2 µs. */
export function rowTimeMs(columns: FlowColumns, row: number): number {
  return columns.timeSeconds[row] * 1000 + columns.timeNanos[row] / 1e6;
}
