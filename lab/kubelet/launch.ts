import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { Netns } from '../network/netns.ts';
import { tool } from './tool.ts';

/** Exit code of a process that never got as far as its command. */
export const LAUNCH_FAILED = 125;

type Stdio = ('ignore' | 'pipe' | 'ipc' | number)[];

export interface Launch {
  /** Directory of a cgroup that exists. The process is in it before it runs a single instruction of its own. */
  cgroup: string;
  /** Named network namespace to enter. */
  netns: string;
  command: string[];
  env: Record<string, string>;
  /** Of descriptors 0, 1 and 2. */
  stdio: Stdio;
  /** Gives the process mount and UTS namespaces of its own, with this resolv.conf and host name. */
  isolation?: { resolvConf: string; hostname: string; workingDir?: string };
}

// Every step replaces the one before (exec), so the child's process id is the program's in the end.
const ENTER = `echo 0 > "$1/cgroup.procs" && shift && exec "$@"`;
const ISOLATE = `
  mount=$1; [ ! -e /etc/resolv.conf ] || "$mount" --bind "$2" /etc/resolv.conf || exit ${LAUNCH_FAILED}
  printf %s "$3" > /proc/sys/kernel/hostname
  cd -- "$4" || exit ${LAUNCH_FAILED}
  shift 4
  exec "$@" 3>&-`;

/**
 * Resolves when an isolated process is in namespaces of its own and becomes its command, or has ended before. Who enters
 * its namespaces earlier would find the host's.
 */
export function isolated(child: ChildProcess): Promise<void> {
  const held = child.stdio?.[3];
  if (!held) return Promise.resolve(); // it could not be started
  return new Promise((resolve) => {
    held.on('error', () => resolve()).on('close', () => resolve());
    (held as Readable).resume();
  });
}

/** Starts a process in a cgroup and a network namespace. An isolated one holds descriptor 3 until it is. */
export function launch({ cgroup, netns, command, env, stdio, isolation }: Launch): ChildProcess {
  // Mounts the host makes or removes later are followed: a private copy of a namespace's mount would keep it alive.
  const isolate = isolation
    ? [tool('unshare'), '--mount', '--uts', '--propagation', 'slave', '/bin/sh', '-c', ISOLATE, 'sh', tool('mount')]
    : [];
  const settings = isolation ? [isolation.resolvConf, isolation.hostname, isolation.workingDir ?? '/'] : [];
  const args = ['-c', ENTER, 'sh', cgroup, ...isolate, ...settings, ...command];
  const namespace = new Netns(netns);
  try {
    // A child begins in the network namespace its parent's thread is in: that saves a program to enter it.
    return namespace.run(() =>
      spawn('/bin/sh', args, { env, stdio: isolation ? [...stdio, 'pipe'] : stdio, cwd: '/' }),
    );
  } finally {
    namespace.close();
  }
}
