/** Asking a network namespace for its links and addresses. */
import { closeFd, NETLINK, openNetlinkSocket, receiveOn, sendOn } from '../loader/libc.ts';
import { LoaderError } from '../loader/loader-error.ts';
import { inNetworkNamespace, type NetworkNamespace } from '../loader/netns.ts';
import { type Link, type LinkAddress, parseAddress, parseLink, RTM } from './link.ts';
import { encodeRequest, errorOf, type NetlinkMessage, NLMSG, parseMessages } from './message.ts';

export const NLM_F_REQUEST = 0x001;
const NLM_F_DUMP = 0x300;
const NLM_F_DUMP_INTR = 0x010;
const EAGAIN = 11;
/** The kernel fills dump datagrams up to 32 KiB; one link is far smaller. */
export const RECEIVE_BYTES = 64 * 1024;
const DUMP_ATTEMPTS = 5;

/** Every link of a network namespace (default: this thread's). @throws LoaderError `netlink-failed`, `namespace-failed`. */
export function listLinks(namespace?: NetworkNamespace): Link[] {
  return dump(RTM.GETLINK, 16, namespace, parseLink);
}

/** Every address of a network namespace (default: this thread's). @throws LoaderError as `listLinks`. */
export function listAddresses(namespace?: NetworkNamespace): LinkAddress[] {
  return dump(RTM.GETADDR, 8, namespace, parseAddress);
}

/** @throws LoaderError `netlink-failed`. */
export function openSocket(groups: number): number {
  const { value, errno } = openNetlinkSocket(NETLINK.ROUTE, groups);
  if (value < 0) throw new LoaderError('netlink-failed', 'cannot open a route netlink socket', errno);
  return value;
}

/** Asks for every object of a kind. A dump during which something changed is asked again. */
function dump<T>(
  type: number,
  bodyBytes: number,
  namespace: NetworkNamespace | undefined,
  parse: (message: NetlinkMessage) => T | undefined,
): T[] {
  const open = () => openSocket(0);
  const fd = namespace === undefined ? open() : inNetworkNamespace(namespace, open);
  try {
    for (let attempt = 1; ; attempt++) {
      const result = dumpOnce(fd, type, bodyBytes, attempt, parse);
      if (result.whole || attempt === DUMP_ATTEMPTS) return result.items;
    }
  } finally {
    closeFd(fd);
  }
}

function dumpOnce<T>(
  fd: number,
  type: number,
  bodyBytes: number,
  sequence: number,
  parse: (message: NetlinkMessage) => T | undefined,
): { items: T[]; whole: boolean } {
  const request = encodeRequest(type, NLM_F_REQUEST | NLM_F_DUMP, sequence, new Uint8Array(bodyBytes));
  const sent = sendOn(fd, request);
  if (sent.value < 0) throw new LoaderError('netlink-failed', 'cannot ask for network interfaces', sent.errno);
  const buffer = new Uint8Array(RECEIVE_BYTES);
  const items: T[] = [];
  let whole = true;
  for (;;) {
    // The kernel answers a dump within the calls themselves: there is always a datagram until the last.
    const { value, errno } = receiveOn(fd, buffer);
    if (value < 0) {
      const what = errno === EAGAIN ? 'the list of network interfaces ended early' : 'cannot read network interfaces';
      throw new LoaderError('netlink-failed', what, errno);
    }
    for (const message of parseMessages(buffer.subarray(0, Math.min(value, buffer.length)))) {
      if (message.sequence !== sequence) continue;
      if (message.flags & NLM_F_DUMP_INTR) whole = false;
      if (message.type === NLMSG.DONE) return { items, whole };
      if (message.type === NLMSG.ERROR) {
        throw new LoaderError(
          'netlink-failed',
          'the kernel refused to list network interfaces',
          errorOf(message.payload),
        );
      }
      const item = parse(message);
      if (item) items.push(item);
    }
  }
}
