import { formatMicros } from '../../format/quantity.ts';
import type { DoorLive } from '../../graph/live.ts';

/** Where requests are told, a failing server counts like a drop. */
export function passedShare({
  answeredShare,
  forwardedShare,
}: Pick<DoorLive, 'answeredShare' | 'forwardedShare'>): number {
  return answeredShare < 0 ? forwardedShare : Math.min(answeredShare, forwardedShare);
}

/** What clients wait for: `p99 1.0 ms` of answers where they are told, else a round trip; empty where neither is. */
export function waitingTime({ p99Micros, rttMicros }: Pick<DoorLive, 'p99Micros' | 'rttMicros'>): string {
  return p99Micros > 0 ? `p99 ${formatMicros(p99Micros)}` : rttMicros > 0 ? formatMicros(rttMicros) : '';
}
