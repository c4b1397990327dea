import { readFileSync } from 'node:fs';

/** How many entries a map of this process holds at most, as the kernel says; 0 when it does not. */
export function mapCapacity(fd: number): number {
  return Number(/^max_entries:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? 0);
}
