import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { findCgroup2 } from '#runtime/cgroup-mount.ts';
import { LabError } from './client.ts';
import { labCgroup } from './kubelet/cgroup.ts';
import { labLayout } from './lab-layout.ts';
import { labNamespaces, sweep } from './network/sweep.ts';
import { isRunning, livingSupervisor } from './supervisor-record.ts';

/** How long a supervisor may take to end in good order before it is ended, in milliseconds. */
const GRACE_MS = 15_000;

/** Whether anything of a lab is on this machine. */
export function labExists(name: string): boolean {
  const layout = labLayout(name);
  const cgroup2 = findCgroup2();
  const cgroup = cgroup2 !== undefined && existsSync(labCgroup(cgroup2, name));
  return existsSync(layout.dir) || labNamespaces(layout).length > 0 || cgroup;
}

/**
 * Takes a lab down: asks its supervisor to end if one lives, and removes whatever is left. Resolves when nothing of the lab
 * is on the machine; rejects naming what is, and with LabError for a user who may not.
 */
export async function takeDown(name: string): Promise<void> {
  const layout = labLayout(name);
  // Without the right to end it, its end would be waited for in vain.
  if (process.getuid?.() !== 0 && labExists(name))
    throw new LabError(`lab "${name}" belongs to root: run this as root`);
  const supervisor = livingSupervisor(layout);
  if (supervisor !== undefined) {
    signal(supervisor.pid, 'SIGTERM');
    const deadline = Date.now() + GRACE_MS;
    while (isRunning(supervisor) && Date.now() < deadline) await sleep(20);
    if (isRunning(supervisor)) signal(supervisor.pid, 'SIGKILL');
    while (isRunning(supervisor)) await sleep(20);
  }
  await sweep(layout);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself.
  }
}
