import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { findCgroup2 } from '#runtime/cgroup-mount.ts';
import type { LabClient } from './client.ts';
import { cgroupProcesses, labCgroup } from './kubelet/cgroup.ts';
import { labLayout } from './lab-layout.ts';
import { isPodReady, type Pod } from './store/objects.ts';

// What the lab's own specs need: a name of their own, waiting, and a look at what is left on the machine.

export function specLabName(): string {
  return `spec-${randomBytes(4).toString('hex')}`;
}

/** Asks until there is an answer, at most for `deadlineMs`; then fails with what it waited for. */
export async function until<T>(
  what: string,
  deadlineMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  for (const deadline = Date.now() + deadlineMs; ; ) {
    const answer = await ask();
    if (answer !== undefined && (answer as unknown) !== false) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Resolves with a namespace's pods once they are `count` and all ready. */
export function readyPods(lab: LabClient, namespace: string, count: number, deadlineMs = 60_000): Promise<Pod[]> {
  return until(`${count} ready pods in ${namespace}`, deadlineMs, async () => {
    const pods = await lab.list<Pod>('Pod', namespace);
    return pods.length === count && pods.every(isPodReady) ? pods : undefined;
  });
}

/** Everything on this machine that names a lab, one line each. */
export function traces(name: string): string[] {
  const layout = labLayout(name);
  const found = namesIn('/run/netns')
    .filter((netns) => netns.startsWith(layout.netnsPrefix))
    .map((netns) => `namespace ${netns}`);
  if (namesIn('/sys/class/net').includes(layout.hostLink)) found.push(`link ${layout.hostLink}`);
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    if (line.includes(`${layout.dir}/`) || line.includes(layout.netnsPrefix)) found.push(`mount ${line}`);
  }
  if (existsSync(layout.dir)) found.push(`folder ${layout.dir}`);
  const cgroup2 = findCgroup2();
  const cgroup = cgroup2 === undefined ? '' : labCgroup(cgroup2, name);
  if (existsSync(cgroup)) found.push(`cgroup ${cgroup}: ${cgroupProcesses(cgroup).join()}`);
  for (const block of namesIn('/run/waggle/.subnets')) {
    if (readFileSync(join('/run/waggle/.subnets', block), 'utf8') === name) found.push(`subnets ${block}`);
  }
  return [...found, ...processes(name)];
}

/** Processes whose command line or open namespaces belong to the lab. */
function processes(name: string): string[] {
  const { dir, netnsPrefix } = labLayout(name);
  return namesIn('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const supervises = command.includes('supervisor.ts') && command.includes(`"name":"${name}"`);
        const works = readlinkSync(`/proc/${pid}/cwd`).startsWith(`${dir}/`);
        return supervises || works || command.includes(`${dir}/`) || command.includes(netnsPrefix)
          ? [`process ${pid}: ${command.trim()}`]
          : [];
      } catch {
        return []; // it ended while we looked
      }
    });
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
