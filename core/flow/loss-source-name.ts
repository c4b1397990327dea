import { LossSource } from '#proto/gen/waggle/v1/flow_pb.ts';

/** `KERNEL_RING` */
export function lossSourceName(source: LossSource): string {
  return Object.entries(LossSource).find(([, value]) => value === source)?.[0] ?? `SOURCE_${source}`;
}
