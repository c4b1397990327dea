import { PerCpuMap } from '../loader/map.ts';
import { u32, u64 } from '../loader/struct-codec.ts';
import type { StructTwin } from './struct-layout.ts';

/** Byte offsets into one sample; twin of `struct dns_sample` (bpf/dns-sample.h). */
export const DNS_SAMPLE_TWIN: StructTwin = {
  struct: 'dns_sample',
  size: 568,
  fields: {
    time: [0, 8],
    clientAddress: [8, 16],
    serverAddress: [24, 16],
    clientIdentity: [40, 4],
    serverIdentity: [44, 4],
    interfaceIndex: [48, 4],
    length: [52, 2],
    whole: [54, 2],
    payload: [56, 512],
  },
};

/** Answers of DNS servers since the maps were made. */
export interface DnsSampleCounts {
  readonly copied: number;
  /** For which the ring had no room. */
  readonly lost: number;
}

/** Names of the maps in the object, all of which are pinned. */
export const DNS_MAPS = ['dns_samples', 'dns_sample_counts'] as const;

export function dnsSampleCounts(fdOf: (name: string) => number): () => DnsSampleCounts {
  const counts = new PerCpuMap('dns_sample_counts', fdOf('dns_sample_counts'), u32, u64);
  const sum = (key: number) => Number(counts.get(key).reduce((total, count) => total + count, 0n));
  return () => ({ copied: sum(0), lost: sum(1) });
}
