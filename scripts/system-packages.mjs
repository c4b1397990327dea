// What Waggle takes from the system, in one table for the bootstrap script and for `waggle doctor`. Plain JavaScript: it is read
// before the dependencies are there.
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/**
 * Per package: Debian's `name` for it; the programs (by name) and files (by absolute path, `*` for one folder) it `provides`,
 * which all must be there; the least it is `neededFor`, each purpose including the ones before it: run, test, bench.
 */
export const SYSTEM_PACKAGES = [
  { name: 'clang', provides: ['clang'], neededFor: 'run', why: 'compiles the eBPF programs' },
  { name: 'llvm', provides: ['llvm-strip'], neededFor: 'run', why: 'strips the eBPF object' },
  { name: 'libbpf1', provides: ['/usr/lib/*/libbpf.so.1'], neededFor: 'run', why: 'loads the eBPF programs' },
  {
    name: 'libbpf-dev',
    provides: ['/usr/include/bpf/bpf_helpers.h'],
    neededFor: 'run',
    why: 'headers of the eBPF programs',
  },
  {
    name: 'linux-libc-dev',
    provides: ['/usr/include/linux/bpf.h'],
    neededFor: 'run',
    why: 'headers of the eBPF programs',
  },
  { name: 'iproute2', provides: ['ip', 'tc'], neededFor: 'run', why: 'makes the lab’s networks' },
  { name: 'util-linux', provides: ['nsenter', 'unshare'], neededFor: 'run', why: 'enters the lab’s namespaces' },
  { name: 'mount', provides: ['mount', 'umount'], neededFor: 'run', why: 'mounts in the lab’s pods' },
  { name: 'git', provides: ['git'], neededFor: 'test', why: 'lists the project’s files' },
  { name: 'procps', provides: ['ps'], neededFor: 'test', why: 'finds what a test left behind' },
  { name: 'tcpdump', provides: ['tcpdump'], neededFor: 'test', why: 'is what the reported flows are compared with' },
  { name: 'nginx-light', provides: ['nginx'], neededFor: 'test', why: 'stands in front of Waggle in tests of portals' },
  { name: 'haproxy', provides: ['haproxy'], neededFor: 'test', why: 'stands in front of Waggle in tests of portals' },
  { name: 'chromium', provides: ['chromium'], neededFor: 'test', why: 'runs the browser tests' },
  {
    name: 'libc6-dev',
    provides: ['/usr/include/stdio.h'],
    neededFor: 'bench',
    why: 'builds the benchmark’s C programs',
  },
  { name: 'iperf3', provides: ['iperf3'], neededFor: 'bench', why: 'makes bulk traffic' },
];

const PURPOSES = ['run', 'test', 'bench'];

/** The packages whose programs or files are missing. */
export function missingPackages(purpose) {
  const included = PURPOSES.slice(0, PURPOSES.indexOf(purpose) + 1);
  return SYSTEM_PACKAGES.filter((entry) => included.includes(entry.neededFor) && !entry.provides.every(isThere));
}

/** Whether a program (by name) or a file (by absolute path, with at most one `*` folder) is there. */
export function isThere(what) {
  if (!what.startsWith('/')) return findProgram(what) !== undefined;
  const star = what.indexOf('/*/');
  if (star < 0) return existsSync(what);
  const [folder, rest] = [what.slice(0, star), what.slice(star + 3)];
  // Distributions without multiarch folders keep libraries one level up.
  return (
    existsSync(join(folder, rest)) ||
    existsSync(join(`${folder}64`, rest)) ||
    subfolders(folder).some((name) => existsSync(join(folder, name, rest)))
  );
}

/** Where a program is. The ones for administrators are found although an ordinary user's PATH leaves their folder out. */
export function findProgram(name) {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function subfolders(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
