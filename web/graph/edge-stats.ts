import type { EdgeStats } from './model.ts';

/**
 * The statistics of many edges in one array of numbers, which crosses from one worker to another without copying: per
 * edge its number, then these fields in this order.
 */
export const STAT_FIELDS = [
  'connections',
  'flows',
  'bytes',
  'replyBytes',
  'totalConnections',
  'totalBytes',
  'totalReplyBytes',
  'forwarded',
  'dropped',
  'audited',
  'rttMicros',
  'retransmits',
  'lastSeen',
  'dropReason',
  'requests',
  'answers',
  'failures',
  'p50Micros',
  'p99Micros',
] as const satisfies readonly (keyof EdgeStats)[];

const STRIDE = STAT_FIELDS.length + 1;

export function packStats(entries: readonly (readonly [edge: number, stats: EdgeStats])[]): Float64Array<ArrayBuffer> {
  const packed = new Float64Array(entries.length * STRIDE);
  let at = 0;
  for (const [edge, stats] of entries) {
    packed[at++] = edge;
    for (const field of STAT_FIELDS) packed[at++] = stats[field];
  }
  return packed;
}

export function unpackStats(packed: Float64Array, visit: (edge: number, stats: EdgeStats) => void): void {
  for (let at = 0; at + STRIDE <= packed.length; at += STRIDE) {
    const stats = {} as EdgeStats;
    for (let field = 0; field < STAT_FIELDS.length; field++) stats[STAT_FIELDS[field]] = packed[at + 1 + field];
    visit(packed[at], stats);
  }
}
