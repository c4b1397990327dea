import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCgroup2 } from '#runtime/cgroup-mount.ts';
import { RUN_ROOT } from '../lab-layout.ts';
import { runTool } from '../network/run-tool.ts';

/** Where the lab mounts cgroup v2 itself on a machine that has it nowhere. */
export const PRIVATE_CGROUP_MOUNT = join(RUN_ROOT, '.cgroup2');

/** Finds the cgroup v2 mount, or makes a private one. */
export async function ensureCgroup2(): Promise<string> {
  const found = findCgroup2();
  if (found !== undefined) return found;
  mkdirSync(PRIVATE_CGROUP_MOUNT, { recursive: true });
  const { status, stderr } = await runTool('mount', ['-t', 'cgroup2', 'none', PRIVATE_CGROUP_MOUNT]);
  if (status !== 0) throw new Error(`cannot mount cgroup v2 at ${PRIVATE_CGROUP_MOUNT}: ${stderr.trim()}`);
  return PRIVATE_CGROUP_MOUNT;
}

export function labCgroup(cgroup2: string, labName: string): string {
  return join(cgroup2, 'waggle', labName);
}

/** Process ids in a cgroup and everything below it; empty when there is no such cgroup. */
export function cgroupProcesses(directory: string): number[] {
  const own = readLines(join(directory, 'cgroup.procs')).map(Number);
  return own.concat(subgroups(directory).flatMap(cgroupProcesses));
}

/** Sends SIGKILL to everything in a cgroup and below. */
export function killCgroup(directory: string): void {
  try {
    writeFileSync(join(directory, 'cgroup.kill'), '1');
    return;
  } catch {
    // Kernels before 5.14 have no cgroup.kill.
  }
  for (const pid of cgroupProcesses(directory)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}

/** Removes a cgroup and everything below, ending what still runs there. Rejects when processes survive for 5 s. */
export async function removeCgroup(directory: string): Promise<void> {
  const deadline = Date.now() + 5_000;
  for (let pause = 1; ; pause = Math.min(50, pause * 2)) {
    if (tryRemove(directory)) return;
    killCgroup(directory);
    if (Date.now() > deadline) {
      throw new Error(`cgroup ${directory} stays busy: processes ${cgroupProcesses(directory).join(', ') || 'none'}`);
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function tryRemove(directory: string): boolean {
  if (!subgroups(directory).every(tryRemove)) return false;
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

function subgroups(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(directory, entry.name));
  } catch {
    return [];
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
