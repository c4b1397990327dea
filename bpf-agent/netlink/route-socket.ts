/** Route netlink sockets: asking a network namespace for its links, and hearing when they come and go. */
import { closeSync, openSync } from 'node:fs';

import { closeFd, openRouteSocket, receiveOn, sendOn } from '../loader/libc.ts';
import { LoaderError } from '../loader/loader-error.ts';
import { inNetworkNamespace, type NetworkNamespace, networkNamespacePath } from '../loader/netns.ts';
import { type Link, type LinkAddress, parseAddress, parseLink, RTM } from './link.ts';
import { encodeRequest, errorOf, type NetlinkMessage, NLMSG, parseMessages } from './message.ts';

const NLM_F_REQUEST = 0x001;
const NLM_F_DUMP = 0x300;
const NLM_F_DUMP_INTR = 0x010;
const RTMGRP_LINK = 1;
const EAGAIN = 11;
const ENOBUFS = 105;
/** The kernel fills dump datagrams up to 32 KiB; one link is far smaller. */
const RECEIVE_BYTES = 64 * 1024;
const DUMP_ATTEMPTS = 5;
const RTM_NEWNSID = 88;
const RTM_GETNSID = 90;
const NETNSA_NSID = 1;
const NETNSA_FD = 3;
const NO_NUMBER = 0xffffffff;

/** Every link of a network namespace (default: this thread's). @throws LoaderError `netlink-failed`, `namespace-failed`. */
export function listLinks(namespace?: NetworkNamespace): Link[] {
  return dump(RTM.GETLINK, 16, namespace, parseLink);
}

/** Every address of a network namespace (default: this thread's). @throws LoaderError as `listLinks`. */
export function listAddresses(namespace?: NetworkNamespace): LinkAddress[] {
  return dump(RTM.GETADDR, 8, namespace, parseAddress);
}

/** One end of a pod's interface pair, as the node sees it. */
export interface VethPeer {
  /** The end in the node's namespace. */
  readonly host: Link;
  /** The end in the pod's namespace. */
  readonly pod: Link;
}

/**
 * The veth pairs between a pod's network namespace and this one, by the pod's interface index. Interface indexes repeat
 * across namespaces, so the host's end must also name the pod's namespace.
 * @param hostLinks this namespace's links, when the caller has them already
 * @throws LoaderError as `listLinks`.
 */
export function vethPeers(namespace: NetworkNamespace, hostLinks: readonly Link[] = listLinks()): VethPeer[] {
  const namespaceId = namespaceNumber(namespace);
  if (namespaceId === undefined) return [];
  const byIndex = new Map(hostLinks.map((link) => [link.index, link]));
  const peers: VethPeer[] = [];
  for (const pod of listLinks(namespace)) {
    const host = pod.kind === 'veth' && pod.peerIndex !== undefined ? byIndex.get(pod.peerIndex) : undefined;
    if (host?.kind !== 'veth' || host.peerIndex !== pod.index || host.peerNamespace !== namespaceId) continue;
    peers.push({ host, pod });
  }
  return peers.sort((a, b) => a.pod.index - b.pod.index);
}

/**
 * This namespace's number for another one; undefined when it has none, which means that no link leads there.
 * @throws LoaderError `namespace-failed` when the namespace cannot be opened, `netlink-failed`.
 */
export function namespaceNumber(namespace: NetworkNamespace): number | undefined {
  const path = networkNamespacePath(namespace);
  let target: number;
  try {
    target = openSync(path, 'r');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LoaderError('namespace-failed', `cannot open the network namespace ${path}: ${reason}`);
  }
  const fd = openSocket(0);
  try {
    // struct rtgenmsg, padded, then one attribute: NETNSA_FD.
    const body = new Uint8Array(12);
    const view = new DataView(body.buffer);
    view.setUint16(4, 8, true);
    view.setUint16(6, NETNSA_FD, true);
    view.setUint32(8, target, true);
    const sent = sendOn(fd, encodeRequest(RTM_GETNSID, NLM_F_REQUEST, 1, body));
    if (sent.value < 0) throw new LoaderError('netlink-failed', `cannot ask for the number of ${path}`, sent.errno);
    const buffer = new Uint8Array(4096);
    const { value, errno } = receiveOn(fd, buffer);
    if (value < 0) throw new LoaderError('netlink-failed', `cannot read the number of ${path}`, errno);
    for (const message of parseMessages(buffer.subarray(0, Math.min(value, buffer.length)))) {
      if (message.type !== RTM_NEWNSID) continue;
      const number = u32Of(parseAttributes(message.payload.subarray(4)).get(NETNSA_NSID));
      return number === undefined || number === NO_NUMBER ? undefined : number;
    }
    return undefined;
  } finally {
    closeFd(fd);
    closeSync(target);
  }
}

/** The first veth pair between a process's network namespace and this one; undefined when there is none. */
export function vethPeer(namespace: NetworkNamespace, hostLinks?: readonly Link[]): VethPeer | undefined {
  return vethPeers(namespace, hostLinks)[0];
}

/** What a subscription tells. `missed` = the kernel had to drop messages: list the links anew. */
export interface LinkListener {
  added(link: Link): void;
  removed(link: Link): void;
  missed(): void;
}

/** Links of this thread's network namespace as they come (or change) and go. Polled, since Node cannot wait on such a socket. */
export class LinkSubscription {
  readonly #fd: number;
  readonly #timer: NodeJS.Timeout;
  readonly #listener: LinkListener;
  readonly #buffer = new Uint8Array(RECEIVE_BYTES);

  /** @throws LoaderError `netlink-failed`. */
  constructor(listener: LinkListener, pollMilliseconds = 50) {
    this.#listener = listener;
    this.#fd = openSocket(RTMGRP_LINK);
    this.#timer = setInterval(() => this.poll(), pollMilliseconds);
    this.#timer.unref();
  }

  /** Delivers what has come; the timer calls it. */
  poll(): void {
    for (;;) {
      const { value, errno } = receiveOn(this.#fd, this.#buffer);
      if (value < 0) {
        if (errno !== ENOBUFS) return;
        this.#listener.missed();
        continue;
      }
      if (value > this.#buffer.length) {
        this.#listener.missed();
        continue;
      }
      for (const message of parseMessages(this.#buffer.subarray(0, value))) this.#deliver(message);
    }
  }

  close(): void {
    clearInterval(this.#timer);
    closeFd(this.#fd);
  }

  #deliver(message: NetlinkMessage): void {
    const link = parseLink(message);
    if (!link) return;
    if (message.type === RTM.NEWLINK) this.#listener.added(link);
    else this.#listener.removed(link);
  }
}

function openSocket(groups: number): number {
  const { value, errno } = openRouteSocket(groups);
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
