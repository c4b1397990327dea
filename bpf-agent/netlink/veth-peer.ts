/** From a pod's network namespace to the end of its interface pair that the node holds. */
import { closeSync } from 'node:fs';

import { closeFd, receiveOn, sendOn } from '../loader/libc.ts';
import { LoaderError } from '../loader/loader-error.ts';
import { type NetworkNamespace, networkNamespacePath, openNetworkNamespace } from '../loader/netns.ts';
import type { Link } from './link.ts';
import { encodeRequest, parseAttributes, parseMessages, u32Of } from './message.ts';
import { listLinks, NLM_F_REQUEST, openSocket } from './route-socket.ts';

const RTM_NEWNSID = 88;
const RTM_GETNSID = 90;
const NETNSA_NSID = 1;
const NETNSA_FD = 3;
const NO_NUMBER = 0xffffffff;

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
  const target = openNetworkNamespace(namespace);
  try {
    return numberOf(target, networkNamespacePath(namespace));
  } finally {
    closeSync(target);
  }
}

function numberOf(target: number, path: string): number | undefined {
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
  }
}

/** The first veth pair between a process's network namespace and this one; undefined when there is none. */
export function vethPeer(namespace: NetworkNamespace, hostLinks?: readonly Link[]): VethPeer | undefined {
  return vethPeers(namespace, hostLinks)[0];
}
