/**
 * The few C library calls Node does not offer: mapping memory, namespaces, mounts, raw netlink sockets, signal masks and
 * an exact clock. FFI lives in this file and libbpf.ts and nowhere else, because a wrong declaration kills the process.
 */
import koffi from 'koffi';

const libc = koffi.load(process.platform === 'linux' ? 'libc.so.6' : null);

// biome-ignore format: one declaration per line
const calls = {
  mmap: libc.func('intptr_t mmap(intptr_t address, size_t length, int protection, int flags, int fd, int64_t offset)'),
  munmap: libc.func('int munmap(intptr_t address, size_t length)'),
  clockGetres: libc.func('int clock_getres(int clock, void *resolution)'),
  setns: libc.func('int setns(int fd, int type)'),
  mount: libc.func('int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)'),
  umount2: libc.func('int umount2(const char *target, int flags)'),
  close: libc.func('int close(int fd)'),
  socket: libc.func('int socket(int domain, int type, int protocol)'),
  bind: libc.func('int bind(int fd, const void *address, uint32_t length)'),
  send: libc.func('intptr_t send(int fd, const void *data, size_t length, int flags)'),
  recv: libc.func('intptr_t recv(int fd, void *data, size_t length, int flags)'),
  clock_gettime: libc.func('int clock_gettime(int clock, void *time)'),
  setsockopt: libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)'),
  getsockopt: libc.func('int getsockopt(int fd, int level, int name, void *value, void *length)'),
  connect: libc.func('int connect(int fd, const void *address, uint32_t length)'),
  syscall: libc.func('long syscall(long number, long a, long b, long c)'),
  pthread_sigmask: libc.func('int pthread_sigmask(int how, const void *set, void *before)'),
};

/** A call's result: what it returned, and the error number when that was negative. */
export interface Outcome {
  readonly value: number;
  readonly errno: number;
}

function outcome(value: number): Outcome {
  return value < 0 ? { value, errno: koffi.errno() } : { value, errno: 0 };
}

const PROTECTION_READ = 1;
const PROTECTION_WRITE = 2;
const MAP_SHARED = 1;

/** A piece of a file's memory, seen as an ArrayBuffer. Reading after `unmap` kills the process. */
export interface Mapping {
  readonly buffer: ArrayBuffer;
  unmap(): void;
}

/**
 * Maps `length` bytes of `fd` from `offset` (a multiple of the page size), shared.
 * A mapping without `writable` faults the process when written.
 */
export function mapMemory(fd: number, length: number, offset: number, writable: boolean): Mapping | number {
  const protection = PROTECTION_READ | (writable ? PROTECTION_WRITE : 0);
  const address = calls.mmap(0, length, protection, MAP_SHARED, fd, offset) as number | bigint;
  if (BigInt(address) === -1n) return koffi.errno();
  const pointer = BigInt(address);
  return { buffer: koffi.view(pointer, length), unmap: () => calls.munmap(address, length) };
}

/** An array over foreign memory, such as a map's initial value. Valid as long as its owner is. */
export function viewMemory(pointer: unknown, length: number): Uint8Array {
  return new Uint8Array(koffi.view(pointer, length));
}

const CLOCK_MONOTONIC_COARSE = 6;

/** Nanoseconds between two ticks of the kernel's clock: 1 s / HZ. */
export function kernelTick(): number {
  const resolution = new BigInt64Array(2);
  calls.clockGetres(CLOCK_MONOTONIC_COARSE, resolution);
  return Number(resolution[0]! * 1_000_000_000n + resolution[1]!);
}

const CLONE_NEWNET = 0x40000000;

/** Moves this thread into the network namespace behind `fd`. */
export function setNetworkNamespace(fd: number): Outcome {
  return outcome(calls.setns(fd, CLONE_NEWNET) as number);
}

export function mountFilesystem(type: string, target: string): Outcome {
  return outcome(calls.mount(type, target, type, 0, null) as number);
}

const MNT_DETACH = 2;

export function unmountFilesystem(target: string): Outcome {
  return outcome(calls.umount2(target, MNT_DETACH) as number);
}

export function closeFd(fd: number): void {
  calls.close(fd);
}

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x80000;
const SOCK_NONBLOCK = 0x800;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const MSG_DONTWAIT = 0x40;
const MSG_TRUNC = 0x20;

/** Whom a netlink socket speaks with. */
export const NETLINK = { ROUTE: 0, NETFILTER: 12 } as const;

/** A netlink socket of this thread's network namespace, non-blocking, member of the groups in the bit mask. */
export function openNetlinkSocket(protocol: number, groups: number): Outcome {
  const fd = calls.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol) as number;
  if (fd < 0) return outcome(fd);
  // Best effort: room for the burst when many pods come at once.
  calls.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, new Uint8Array(new Uint32Array([4 << 20]).buffer), 4);
  const address = new Uint8Array(12);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_NETLINK, true);
  view.setUint32(8, groups, true);
  const bound = outcome(calls.bind(fd, address, address.length) as number);
  if (bound.value < 0) {
    calls.close(fd);
    return bound;
  }
  return { value: fd, errno: 0 };
}

export function sendOn(fd: number, data: Uint8Array): Outcome {
  return outcome(Number(calls.send(fd, data, data.length, 0)));
}

/** Receives one datagram without waiting. A value larger than the buffer means that it was cut. */
export function receiveOn(fd: number, into: Uint8Array): Outcome {
  return outcome(Number(calls.recv(fd, into, into.length, MSG_DONTWAIT | MSG_TRUNC)));
}

const CLOCK_REALTIME = 0;
const timespec = new BigInt64Array(2);

/** Wall clock in nanoseconds since 1970: Node's own clocks give milliseconds, or no wall clock. */
export function realtimeNanos(): bigint {
  calls.clock_gettime(CLOCK_REALTIME, timespec);
  return timespec[0]! * 1_000_000_000n + timespec[1]!;
}

const SO_COOKIE = 57;
const SO_NETNS_COOKIE = 71;

function cookieOption(fd: number, name: number): bigint | undefined {
  const value = new BigUint64Array(1);
  const { value: result } = outcome(calls.getsockopt(fd, SOL_SOCKET, name, value, new Uint32Array([8])) as number);
  return result < 0 ? undefined : value[0];
}

/** The number eBPF programs know a socket by; undefined for what is no socket. */
export function socketCookie(fd: number): bigint | undefined {
  return cookieOption(fd, SO_COOKIE);
}

/** The number eBPF programs know a socket's network namespace by. */
export function networkNamespaceCookie(fd: number): bigint | undefined {
  return cookieOption(fd, SO_NETNS_COOKIE);
}

const SYS_PIDFD_OPEN = 434;
const SYS_PIDFD_GETFD = 438;

/** A descriptor that stands for a process. */
export function openProcess(pid: number): Outcome {
  return outcome(Number(calls.syscall(SYS_PIDFD_OPEN, pid, 0, 0)));
}

/** A descriptor of our own for what is open under `fd` in another process. */
export function takeDescriptor(processFd: number, fd: number): Outcome {
  return outcome(Number(calls.syscall(SYS_PIDFD_GETFD, processFd, fd, 0)));
}

const SOCK_DGRAM = 2;

/** A datagram socket of this thread's network namespace, bound to nothing. */
export function openDatagramSocket(addressFamily: number): Outcome {
  return outcome(calls.socket(addressFamily, SOCK_DGRAM | SOCK_CLOEXEC, 0) as number);
}

/** Fills `value`, which may hold an argument. The result's value is how many bytes the kernel says there are. */
export function socketOption(fd: number, level: number, name: number, value: Uint8Array): Outcome {
  const length = new Uint32Array([value.length]);
  const result = outcome(calls.getsockopt(fd, level, name, value, length) as number);
  return result.value < 0 ? result : { value: length[0]!, errno: 0 };
}

/** @param address a struct sockaddr_in or sockaddr_in6 */
export function connectSocket(fd: number, address: Uint8Array): Outcome {
  return outcome(calls.connect(fd, address, address.length) as number);
}

const SIG_SETMASK = 2;
const SIGSET_BYTES = 128;

/** Does something during which this thread is not interrupted by signals: they come when it is done. */
export function withoutSignals<T>(action: () => T): T {
  const before = new Uint8Array(SIGSET_BYTES);
  calls.pthread_sigmask(SIG_SETMASK, new Uint8Array(SIGSET_BYTES).fill(0xff), before);
  try {
    return action();
  } finally {
    calls.pthread_sigmask(SIG_SETMASK, before, null);
  }
}
