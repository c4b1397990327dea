import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmdirSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { probeKernel } from '#bpf-agent/loader/kernel-support.ts';
import { findCgroup2 } from '#runtime/cgroup-mount.ts';
import { type Check, limited, missing, ok } from './check.ts';

// The sweep goes over the connection table inside the kernel, run by the agent: bpf_for_each_map_elem came with 5.13, programs
// of kind syscall with 5.14. 5.15 is the oldest maintained kernel that has both.
const OLDEST_KERNEL = [5, 15] as const;

/** What the kernel and this process's rights allow. Everything is tried for real, in namespaces of its own. */
export function kernelChecks(): Check[] {
  const checks = [kernelVersion()];
  if (process.platform !== 'linux') return checks;
  const { features } = probeKernel();
  for (const { feature, ok: works, optional, reason, fix } of features) {
    if (works) checks.push(ok(feature, reason));
    else checks.push(optional ? limited(feature, reason, fix) : missing(feature, reason, fix));
  }
  if (features.some(({ feature, ok: works }) => feature === 'tcx' && !works)) checks.push(clsact());
  checks.push(cgroup2());
  if (features.some(({ feature, ok: works }) => feature === 'privileges' && works)) {
    checks.push(networkNamespace(), bpfFilesystem());
  }
  return checks;
}

function kernelVersion(): Check {
  const name = 'kernel';
  if (process.platform !== 'linux') {
    return missing(name, `eBPF needs Linux, this is ${process.platform}`, 'run Waggle on a Linux machine');
  }
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const [oldMajor, oldMinor] = OLDEST_KERNEL;
  return major > oldMajor || (major === oldMajor && minor >= oldMinor)
    ? ok(name, `Linux ${release()}`)
    : missing(name, `Linux ${release()}`, `Linux ${OLDEST_KERNEL.join('.')} or newer`);
}

function cgroup2(): Check {
  const name = 'cgroup v2';
  const mountPoint = findCgroup2();
  if (mountPoint === undefined) {
    return missing(
      name,
      'not mounted',
      'mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 none /sys/fs/cgroup/unified',
    );
  }
  try {
    accessSync(mountPoint, constants.W_OK);
    return ok(name, mountPoint);
  } catch {
    return missing(
      name,
      `${mountPoint} cannot be written`,
      'run as root, outside a container that mounts it read-only',
    );
  }
}

function networkNamespace(): Check {
  const failure = run('unshare', ['--net', 'true']);
  const fix = 'run as root, outside a container that forbids it';
  return failure === undefined
    ? ok('network namespaces', 'can be made')
    : missing('network namespaces', `cannot be made: ${failure}`, fix);
}

function bpfFilesystem(): Check {
  const folder = mkdtempSync(join(tmpdir(), 'waggle-doctor-'));
  const failure = run('unshare', ['--mount', '--propagation', 'private', 'mount', '-t', 'bpf', 'bpf', folder]);
  rmdirSync(folder);
  return failure === undefined
    ? ok('bpf file system', 'can be mounted')
    : missing('bpf file system', `cannot be mounted: ${failure}`, 'run as root on a kernel with CONFIG_BPF_SYSCALL');
}

function clsact(): Check {
  const failure = run('unshare', ['--net', 'tc', 'qdisc', 'add', 'dev', 'lo', 'clsact']);
  return failure === undefined
    ? ok('clsact', 'can be attached, in place of tcx')
    : missing('clsact', `cannot be attached: ${failure}`, 'modprobe sch_clsact cls_bpf, or Linux 6.6 or newer');
}

/** Undefined when it succeeded, else what it said. */
function run(tool: string, argv: string[]): string | undefined {
  const { error, status, stderr } = spawnSync(tool, argv, { encoding: 'utf8', timeout: 10_000 });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : stderr.trim().split('\n', 1)[0] || `exit code ${status}`;
}
