import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCgroup2, unescaped } from '#runtime/cgroup-mount.ts';
import { killCgroup, labCgroup, PRIVATE_CGROUP_MOUNT, removeCgroup } from '../kubelet/cgroup.ts';
import { type LabLayout, RUN_ROOT } from '../lab-layout.ts';
import { releaseSubnets } from './free-subnets.ts';
import { runTool } from './run-tool.ts';

const NETNS_DIR = '/run/netns';
/** Says that a lab made the mount `ip netns` keeps at NETNS_DIR, so that the last lab takes it away again. */
const NETNS_MOUNT_MARK = join(RUN_ROOT, '.netns-mount');

/**
 * Removes everything a lab has on this machine: processes, cgroups, links, namespaces, mounts, pinned programs, files. It
 * goes by names and paths alone, so it serves after a crash as well, and on what is half there or not there at all. The
 * supervisor, if it still runs, must have been ended before. Rejects with what could not be removed.
 */
export async function sweep(layout: LabLayout): Promise<void> {
  const problems: string[] = [];
  const attempt = async (work: () => unknown): Promise<void> => {
    try {
      await work();
    } catch (error) {
      problems.push((error as Error).message);
    }
  };
  const cgroup2 = findCgroup2();
  const cgroup = cgroup2 === undefined ? undefined : labCgroup(cgroup2, layout.name);
  if (cgroup !== undefined) killCgroup(cgroup);
  // The host's link by name; the others go with their namespaces.
  if (existsSync(join('/sys/class/net', layout.hostLink))) await runTool('ip', ['link', 'delete', layout.hostLink]);
  if (cgroup !== undefined) await attempt(() => removeCgroup(cgroup));
  await attempt(() => removeNamespaces(layout));
  await attempt(() => unmountBelow(layout.dir));
  await attempt(() => rmSync(layout.dir, { recursive: true, force: true }));
  await attempt(() => releaseSubnets(layout.name));
  await attempt(() => removeShared(cgroup2));
  if (problems.length > 0) throw new Error(problems.join('; '));
}

/** Names of a lab's network namespaces that exist now. */
export function labNamespaces(layout: LabLayout): string[] {
  return namespaces().filter((name) => name.startsWith(layout.netnsPrefix));
}

async function removeNamespaces(layout: LabLayout): Promise<void> {
  const names = labNamespaces(layout);
  if (names.length === 0) return;
  // Each by itself: one that fails must not keep the others.
  const { stderr } = await runTool(
    'ip',
    ['-force', '-batch', '-'],
    names.map((name) => `netns delete ${name}\n`).join(''),
  );
  const left = labNamespaces(layout);
  if (left.length > 0) throw new Error(`network namespaces ${left.join(', ')} stay: ${stderr.trim()}`);
}

function namespaces(): string[] {
  try {
    return readdirSync(NETNS_DIR);
  } catch {
    return [];
  }
}

/** Unmounts everything mounted in a folder, the innermost first: a pinned program goes with the file system it is in. */
async function unmountBelow(dir: string): Promise<void> {
  for (const point of mountPoints().reverse()) {
    if (!point.startsWith(`${dir}/`)) continue;
    const { status, stderr } = await runTool('umount', [point]);
    if (status !== 0) {
      const lazy = await runTool('umount', ['--lazy', point]);
      if (lazy.status !== 0) throw new Error(`cannot unmount ${point}: ${stderr.trim()}`);
    }
  }
}

function mountPoints(): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => unescaped(line.split(' ')[4] ?? ''));
}

/** To be called before a lab's first `ip netns add`, which on a machine without namespaces leaves a mount behind. */
export function noteNetnsMount(): void {
  if (!mountPoints().includes(NETNS_DIR)) writeFileSync(NETNS_MOUNT_MARK, '');
}

/** What labs share goes with the last of them. */
async function removeShared(cgroup2: string | undefined): Promise<void> {
  if (!existsSync(RUN_ROOT)) return;
  const labs = readdirSync(RUN_ROOT).filter((name) => !name.startsWith('.'));
  if (labs.length > 0) return;
  if (cgroup2 !== undefined) removeEmpty(join(cgroup2, 'waggle'));
  if (cgroup2 === PRIVATE_CGROUP_MOUNT) await runTool('umount', [PRIVATE_CGROUP_MOUNT]);
  if (existsSync(NETNS_MOUNT_MARK)) {
    rmSync(NETNS_MOUNT_MARK);
    if (namespaces().length === 0) await runTool('umount', [NETNS_DIR]);
  }
  removeEmpty(PRIVATE_CGROUP_MOUNT);
  removeEmpty(join(RUN_ROOT, '.subnets'));
  removeEmpty(RUN_ROOT);
}

/** Removes a directory if there is nothing in it. */
function removeEmpty(dir: string): void {
  try {
    rmdirSync(dir);
  } catch {
    // It is not there, or another lab has just begun to use it.
  }
}
