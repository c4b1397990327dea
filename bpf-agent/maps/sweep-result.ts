import type { StructTwin } from './struct-layout.ts';

/** Twin of `struct sweep_result` (bpf/sweep.h): what one sweep did. */
export interface SweepResult {
  /** Entries in the connection table. */
  readonly visited: number;
  /** Interval records written. */
  readonly told: number;
  /** Connections ended and deleted. */
  readonly ended: number;
  /** Left for the next sweep because the ring was full. */
  readonly deferred: number;
  /** Entries of clients outside, two a connection. */
  readonly external: number;
}

export const SWEEP_RESULT_TWIN: StructTwin = {
  struct: 'sweep_result',
  size: 40,
  fields: { visited: [0, 8], told: [8, 8], ended: [16, 8], deferred: [24, 8], external: [32, 8] },
};

export function decodeSweepResult(bytes: Uint8Array): SweepResult {
  const [visited, told, ended, deferred, external] = [...new BigUint64Array(bytes.buffer, bytes.byteOffset, 5)].map(
    Number,
  );
  return { visited: visited!, told: told!, ended: ended!, deferred: deferred!, external: external! };
}
