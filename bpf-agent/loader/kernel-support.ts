/** What this machine offers for the datapath: each point with a reason and a fix, for `waggle doctor` and start-up. */
import { closeSync, existsSync, readFileSync } from 'node:fs';
import { release } from 'node:os';

import { LIBBPF_FIX, libbpf, takeLibbpfLog } from './libbpf.ts';
import { errnoText } from './loader-error.ts';

export type KernelFeature = 'privileges' | 'libbpf' | 'bpf' | 'btf' | 'ring-buffer' | 'tcx';

export interface FeatureResult {
  readonly feature: KernelFeature;
  readonly ok: boolean;
  /** Whether the datapath can do without it. */
  readonly optional: boolean;
  /** What was found, in one line. */
  readonly reason: string;
  /** What to do about it; empty when ok. */
  readonly fix: string;
}

export interface KernelSupport {
  /** Whether the datapath can run here. */
  readonly usable: boolean;
  /** Why not, in one line; empty when usable. */
  readonly reason: string;
  readonly features: readonly FeatureResult[];
}

const CAP_NET_ADMIN = 12;
const CAP_SYS_ADMIN = 21;
const CAP_BPF = 39;
const MAP_TYPE_ARRAY = 2;
const MAP_TYPE_RINGBUF = 27;
const PROGRAM_TYPE_SCHED_CLS = 3;
const ATTACH_TCX_INGRESS = 46;
const NO_SUCH_INTERFACE = 0x7ffffffe;
const ENODEV = 19;
const EPERM = 1;

/** Tries each thing for real, and leaves nothing behind. Takes a few milliseconds. */
export function probeKernel(): KernelSupport {
  const features: FeatureResult[] = [];
  const probes = [probePrivileges, probeLibbpf, probeBpf, probeBtf, probeRing, probeTcx];
  for (const probe of probes) {
    const result = probe();
    features.push(result);
    // Without the library or the right to ask, the rest would only repeat that.
    if (!result.ok && (result.feature === 'libbpf' || result.feature === 'privileges')) break;
  }
  const missing = features.find((result) => !result.ok && !result.optional);
  return {
    usable: missing === undefined,
    reason: missing ? `${missing.reason}. ${missing.fix}` : '',
    features,
  };
}

function probePrivileges(): FeatureResult {
  const feature = 'privileges';
  if (process.platform !== 'linux') {
    return failed(feature, `eBPF needs Linux, this is ${process.platform}`, 'Run it on a Linux machine');
  }
  const line = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'));
  const capabilities = BigInt(`0x${line?.[1] ?? '0'}`);
  const has = (bit: number) => ((capabilities >> BigInt(bit)) & 1n) === 1n;
  // Entering namespaces and mounting a BPF file system need CAP_SYS_ADMIN even where CAP_BPF would load programs.
  const missing = [
    has(CAP_SYS_ADMIN) ? '' : 'CAP_SYS_ADMIN',
    has(CAP_NET_ADMIN) ? '' : 'CAP_NET_ADMIN',
    has(CAP_BPF) || has(CAP_SYS_ADMIN) ? '' : 'CAP_BPF',
  ].filter(Boolean);
  if (missing.length > 0) {
    const fix = process.getuid?.() === 0 ? 'Grant them: root has lost them here' : 'Run as root (sudo) or grant them';
    return failed(feature, `missing ${missing.join(', ')}`, fix);
  }
  return passed(feature, 'CAP_SYS_ADMIN and CAP_NET_ADMIN');
}

function probeLibbpf(): FeatureResult {
  try {
    libbpf();
    return passed('libbpf', 'libbpf.so.1 loads');
  } catch (error) {
    return failed('libbpf', error instanceof Error ? error.message : String(error), LIBBPF_FIX);
  }
}

function probeBpf(): FeatureResult {
  const fd = libbpf().mapCreate(MAP_TYPE_ARRAY, 'waggle_probe', 4, 8, 1, null);
  if (fd >= 0) {
    closeSync(fd);
    return passed('bpf', `kernel ${release()} takes eBPF maps`);
  }
  const fix =
    fd === -EPERM
      ? 'The bpf() system call is refused: run as root outside a container that forbids it'
      : 'The kernel needs CONFIG_BPF_SYSCALL';
  return failed('bpf', `the kernel refuses an eBPF map (${errnoText(-fd)})`, fix);
}

function probeBtf(): FeatureResult {
  const path = '/sys/kernel/btf/vmlinux';
  if (existsSync(path)) return passed('btf', `${path} is there`);
  // The programs use no kernel structs; only reading the kernel's own drop reasons will want it.
  return { ...failed('btf', `${path} is missing`, 'A kernel with CONFIG_DEBUG_INFO_BTF has it'), optional: true };
}

function probeRing(): FeatureResult {
  const fd = libbpf().mapCreate(MAP_TYPE_RINGBUF, 'waggle_probe', 0, 0, 4096, null);
  if (fd >= 0) {
    closeSync(fd);
    return passed('ring-buffer', 'the kernel has ring buffers');
  }
  return failed('ring-buffer', `the kernel has no ring buffer (${errnoText(-fd)})`, 'Linux ≥ 5.8 has it');
}

/** A link to an interface that cannot exist: a kernel with tcx looks for it, one without refuses the kind of link. */
function probeTcx(): FeatureResult {
  // r0 = -1; exit
  const instructions = Uint8Array.of(0xb7, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x95, 0, 0, 0, 0, 0, 0, 0);
  const program = libbpf().programLoad(PROGRAM_TYPE_SCHED_CLS, 'waggle_probe', 'GPL', instructions, 2, null);
  if (program < 0) {
    takeLibbpfLog();
    return failed('bpf', `the kernel refuses an eBPF program (${errnoText(-program)})`, 'It needs CONFIG_NET_CLS_BPF');
  }
  const link = libbpf().linkCreate(program, NO_SUCH_INTERFACE, ATTACH_TCX_INGRESS, null);
  closeSync(program);
  if (link === -ENODEV) return passed('tcx', 'the kernel has tcx links');
  if (link >= 0) closeSync(link);
  const fallback = 'Linux ≥ 6.6 has them; clsact is used instead';
  return { ...failed('tcx', `the kernel has no tcx links (${errnoText(-link)})`, fallback), optional: true };
}

function passed(feature: KernelFeature, reason: string): FeatureResult {
  return { feature, ok: true, optional: false, reason, fix: '' };
}

function failed(feature: KernelFeature, reason: string, fix: string): FeatureResult {
  return { feature, ok: false, optional: false, reason, fix };
}
