/** BPF_PROG_TEST_RUN: runs a loaded program on given bytes, with no interface at all. */
import { addressOf, libbpf } from './libbpf.ts';
import { LoaderError } from './loader-error.ts';

/** What a packet program is given. */
export interface PacketRun {
  /** The frame, at least 14 bytes. */
  readonly packet: Uint8Array;
  /** Interface the packet seems to come from; must exist in this network namespace. 1 = loopback, the default. */
  readonly interfaceIndex?: number;
  /** Segments a GSO packet stands for, and their size. */
  readonly gsoSegments?: number;
  readonly gsoSize?: number;
  /** Whether the frame is wanted as the program leaves it. */
  readonly output?: boolean;
  /** How often; default 1. */
  readonly repeat?: number;
}

export interface RunResult {
  /** What the program returned, signed. */
  readonly returned: number;
  /** Mean duration of a run in nanoseconds. */
  readonly nanoseconds: number;
  /** The frame as the program left it; empty unless it was asked for. */
  readonly packet: Uint8Array;
}

// struct bpf_test_run_opts of libbpf 1.x.
const OPTIONS_BYTES = 80;
/** What a program may add to a frame. */
const OUTPUT_ROOM = 256;
// struct __sk_buff, and the offsets we fill in.
const SKB_BYTES = 192;
const SKB_IFINDEX = 40;
const SKB_GSO_SEGMENTS = 164;
const SKB_GSO_SIZE = 176;

export function runPacket(fd: number, run: PacketRun): RunResult {
  const options = new Uint8Array(OPTIONS_BYTES);
  const view = new DataView(options.buffer);
  view.setBigUint64(0, BigInt(OPTIONS_BYTES), true);
  view.setBigUint64(8, addressOf(run.packet), true);
  view.setUint32(24, run.packet.length, true);
  view.setInt32(60, run.repeat ?? 1, true);
  const context = new Uint8Array(SKB_BYTES);
  if (run.interfaceIndex !== undefined || run.gsoSegments || run.gsoSize) {
    const skb = new DataView(context.buffer);
    skb.setUint32(SKB_IFINDEX, run.interfaceIndex ?? 1, true);
    skb.setUint32(SKB_GSO_SEGMENTS, run.gsoSegments ?? 0, true);
    skb.setUint32(SKB_GSO_SIZE, run.gsoSize ?? 0, true);
    view.setBigUint64(32, addressOf(context), true);
    view.setUint32(48, SKB_BYTES, true);
  }
  const output = new Uint8Array(run.output ? run.packet.length + OUTPUT_ROOM : 0);
  if (run.output) {
    view.setBigUint64(16, addressOf(output), true);
    view.setUint32(28, output.length, true);
  }
  check(libbpf().testRun(fd, options));
  return {
    returned: view.getInt32(56, true),
    nanoseconds: view.getUint32(64, true),
    packet: output.subarray(0, run.output ? view.getUint32(28, true) : 0),
  };
}

/** Runs a `SEC("syscall")` program; what it writes to its context is in `context` afterwards. */
export function runSyscall(fd: number, context: Uint8Array): number {
  const options = new Uint8Array(OPTIONS_BYTES);
  const view = new DataView(options.buffer);
  view.setBigUint64(0, BigInt(OPTIONS_BYTES), true);
  view.setBigUint64(32, addressOf(context), true);
  view.setUint32(48, context.length, true);
  check(libbpf().testRun(fd, options));
  return view.getInt32(56, true);
}

function check(error: number): void {
  if (error < 0) throw new LoaderError('run-failed', 'the kernel would not run the eBPF program', -error);
}
