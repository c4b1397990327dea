import { availableParallelism, loadavg } from 'node:os';

/**
 * How much of the time a process runs that wants to: 1 on a machine with a processor for everybody, less where more want to run. What
 * took long while others had the machine took this much of it for itself.
 */
export function cpuShare(): number {
  return 1 / Math.max(1, loadavg()[0]! / availableParallelism());
}
