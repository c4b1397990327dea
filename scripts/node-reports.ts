/** What the probing pods of scripts/node-workload.ts have logged. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BOX } from './node-agents.ts';
import { STORY } from './node-workload.ts';

/** What a prober has logged, one object per half second. */
export interface Report {
  /** Milliseconds of the epoch. */
  readonly t: number;
  readonly [count: string]: number;
}

/** Those of a pod from a moment on, oldest first. */
export function reports(pod: string, since = 0): Report[] {
  const [log] = globSync(join(BOX, `pods/${STORY}_${pod}_*/probe/0.log`));
  if (log === undefined) return [];
  const lines = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'));
  return lines.map((line) => JSON.parse(line.slice(line.indexOf('{'))) as Report).filter(({ t }) => t >= since);
}

/** Of one count over many reports. */
export const sum = (list: readonly Report[], field: string): number =>
  list.reduce((all, one) => all + (one[field] ?? 0), 0);

/** Of SYNs of new connections, those that had to be sent again so far. */
export function synsAgain(): number {
  return reports('caller').at(-1)?.syns ?? 0;
}

/** What both ends of the open connection had to send again so far. */
export function resent(): number {
  return ['friend', 'server'].reduce((all, pod) => all + (reports(pod).at(-1)?.resent ?? 0), 0);
}
