import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { cgroupProcesses, labCgroup } from '#lab/kubelet/cgroup.ts';
import { labLayout } from '#lab/lab-layout.ts';
import { findCgroup2 } from '#runtime/cgroup-mount.ts';

/** Whatever of a lab is still on this machine: one line per thing, empty when nothing is left. */
export function labResidue(name: string): string[] {
  const layout = labLayout(name);
  const left: string[] = [];
  for (const netns of list('/run/netns')) {
    if (netns.startsWith(layout.netnsPrefix)) left.push(`network namespace ${netns}`);
  }
  if (existsSync(`/sys/class/net/${layout.hostLink}`)) left.push(`link ${layout.hostLink}`);
  for (const line of readFileSync('/proc/self/mountinfo', 'utf8').split('\n')) {
    const point = line.split(' ')[4];
    if (point?.startsWith(`${layout.dir}/`)) left.push(`mount ${point}`);
    if (point?.startsWith(`/run/netns/${layout.netnsPrefix}`)) left.push(`mount ${point}`);
  }
  if (existsSync(layout.dir)) left.push(`directory ${layout.dir}`);
  const cgroup2 = findCgroup2();
  if (cgroup2 !== undefined && existsSync(labCgroup(cgroup2, name))) {
    left.push(`cgroup ${labCgroup(cgroup2, name)} with processes ${cgroupProcesses(labCgroup(cgroup2, name))}`);
  }
  for (const pid of list('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const what = processOfLab(pid, name);
    if (what !== undefined) left.push(`process ${pid}: ${what}`);
  }
  return left;
}

/** The command line of a process that names the lab or runs below its directory. */
function processOfLab(pid: string, name: string): string | undefined {
  if (Number(pid) === process.pid) return undefined;
  try {
    const words = readFileSync(join('/proc', pid, 'cmdline'), 'utf8').split('\0');
    const ofLab = (word: string) => word === name || word.startsWith(`${labLayout(name).dir}/`);
    // A test's own runner may carry the name too; what belongs to the lab runs Waggle or stands in its directory.
    if (words.some(ofLab) || ofLab(readlinkSync(join('/proc', pid, 'cwd')))) return words.join(' ').trim();
  } catch {
    // It ended while we looked.
  }
  return undefined;
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
