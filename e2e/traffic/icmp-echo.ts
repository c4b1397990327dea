import koffi from 'koffi';

// Echo requests by the kernel's own ping sockets, which need no privilege: `ping` is not installed everywhere.
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const IPPROTO_ICMP = 1;
const IPPROTO_ICMPV6 = 58;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;

const libc = koffi.load('libc.so.6');
const makeSocket = libc.func('int socket(int domain, int type, int protocol)');
const sendTo = libc.func(
  'intptr_t sendto(int fd, const void *data, size_t length, int flags, const void *to, uint32_t size)',
);
const receive = libc.func('intptr_t recv(int fd, void *data, size_t length, int flags)');
const setOption = libc.func('int setsockopt(int fd, int level, int name, const void *value, uint32_t size)');
const close = libc.func('int close(int fd)');

/** Sends `count` requests of `size` payload bytes, each after the answer to the one before. Returns how many were answered. */
export function icmpEcho(address: Uint8Array, count: number, size: number): number {
  const v6 = address.length === 16;
  const fd = makeSocket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
  if (fd < 0) throw new Error(`no ICMP socket: errno ${koffi.errno()}`);
  const timeout = Buffer.alloc(16);
  timeout.writeBigInt64LE(2n, 0);
  setOption(fd, SOL_SOCKET, SO_RCVTIMEO, timeout, 16);
  // sockaddr_in: family, port, address; sockaddr_in6: family, port, flow information, address, scope.
  const to = Buffer.alloc(v6 ? 28 : 16);
  to.writeUInt16LE(v6 ? AF_INET6 : AF_INET, 0);
  to.set(address, v6 ? 8 : 4);
  const request = Buffer.alloc(8 + size, 'w');
  const answer = Buffer.alloc(65_536);
  let answered = 0;
  for (let sequence = 1; sequence <= count; sequence++) {
    // Type, code, checksum and identifier (the kernel's to fill in), sequence.
    request.set([v6 ? 128 : 8, 0, 0, 0, 0, 0, 0, sequence]);
    if (sendTo(fd, request, request.length, 0, to, to.length) < 0) throw new Error(`sendto: errno ${koffi.errno()}`);
    if (Number(receive(fd, answer, answer.length, 0)) > 0) answered++;
  }
  close(fd);
  return answered;
}
