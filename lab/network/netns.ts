import { closeSync, openSync, writeFileSync } from 'node:fs';
import koffi from 'koffi';
import { netnsPath } from '../lab-layout.ts';

// The lab's only foreign function calls: entering a network namespace on this thread and making sockets there.
// A socket stays in the namespace it was made in, so the thread can go home at once.

const CLONE_NEWNET = 0x40000000;
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;

const libc = koffi.load('libc.so.6');
const setns = libc.func('int setns(int fd, int nstype)');
const makeSocket = libc.func('int socket(int domain, int type, int protocol)');
const bindSocket = libc.func('int bind(int fd, const void *address, uint32_t length)');
const listenSocket = libc.func('int listen(int fd, int backlog)');
const setsockopt = libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t length)');
const strerror = libc.func('const char *strerror(int code)');

export type AddressFamily = 4 | 6;

/** An open network namespace. Close it when done; until then the namespace lives. */
export class Netns {
  readonly name: string;
  readonly #fd: number;
  static #home: number | undefined;

  /** @param name as in `ip netns`, or an absolute path such as /proc/7/ns/net. Throws ENOENT when there is none. */
  constructor(name: string) {
    this.name = name;
    Netns.#home ??= openSync('/proc/self/ns/net', 'r');
    this.#fd = openSync(name.startsWith('/') ? name : netnsPath(name), 'r');
  }

  /** Runs `work` with this thread inside the namespace. It must be synchronous and must not start other threads. */
  run<T>(work: () => T): T {
    if (setns(this.#fd, CLONE_NEWNET) !== 0) throw new Error(`setns ${this.name}: ${lastError()}`);
    try {
      return work();
    } finally {
      // A thread left in a pod's namespace would silently do everything else there: there is no going on.
      if (setns(Netns.#home!, CLONE_NEWNET) !== 0) process.abort();
    }
  }

  /** Sets kernel settings of this namespace; keys as below /proc/sys, e.g. "net/ipv4/ip_forward". */
  sysctl(settings: Record<string, string>): void {
    this.run(() => {
      for (const [key, value] of Object.entries(settings)) writeFileSync(`/proc/sys/${key}`, value);
    });
  }

  /** A TCP socket ready for connect(). The caller owns the descriptor. */
  tcpSocket(family: AddressFamily): number {
    return this.run(() => newSocket(family, SOCK_STREAM));
  }

  /** A TCP socket listening on every address, both families. Throws with the errno's name in `code`. */
  tcpListener(port: number): number {
    return this.run(() => {
      const fd = newSocket(6, SOCK_STREAM);
      bindAny(fd, 6, port);
      if (listenSocket(fd, 512) !== 0) throw failure(fd, `listen on port ${port}`);
      return fd;
    });
  }

  /** A UDP socket bound to every address of a family; port 0 lets the kernel choose. */
  udpSocket(family: AddressFamily, port: number): number {
    return this.run(() => {
      const fd = newSocket(family, SOCK_DGRAM);
      bindAny(fd, family, port);
      return fd;
    });
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function newSocket(family: AddressFamily, type: number): number {
  const fd: number = makeSocket(family === 4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new Error(`socket: ${lastError()}`);
  return fd;
}

function bindAny(fd: number, family: AddressFamily, port: number): void {
  const one = Buffer.alloc(4);
  one.writeInt32LE(1);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, one, 4);
  // struct sockaddr_in (16 bytes) and sockaddr_in6 (28): family in host order, port in network order, address all 0.
  const address = Buffer.alloc(family === 4 ? 16 : 28);
  address.writeUInt16LE(family === 4 ? AF_INET : AF_INET6, 0);
  address.writeUInt16BE(port, 2);
  if (bindSocket(fd, address, address.length) !== 0) throw failure(fd, `bind port ${port}`);
}

function failure(fd: number, what: string): Error {
  const reason = lastError();
  closeSync(fd);
  return new Error(`${what}: ${reason}`);
}

function lastError(): string {
  return strerror(koffi.errno());
}
