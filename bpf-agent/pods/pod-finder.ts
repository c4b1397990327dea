import { statSync } from 'node:fs';
import { closeFd, networkNamespaceCookie } from '../loader/libc.ts';
import { inNetworkNamespace } from '../loader/netns.ts';
import type { Link } from '../netlink/link.ts';
import { openSocket } from '../netlink/route-socket.ts';
import { vethPeer } from '../netlink/veth-peer.ts';
import { whyInvisible } from './invisible-pod.ts';
import { PodDirectories, podProcesses } from './pod-directories.ts';
import type { PodInterface } from './pod-interface.ts';

/** Where a pod's interface is, or in one line why it is not known. */
export type FoundPod = { readonly interface: PodInterface } | { readonly problem: string };

/** Processes of a pod looked at for its network namespace: the pause process is among the first. */
const PROCESSES_LOOKED_AT = 16;

/**
 * Finds the host side of a pod's veth: its cgroup directory → one of its processes → that one's network namespace → the
 * interface there whose other end is in ours. The same on a Kubernetes node and in a lab.
 */
export class PodFinder {
  readonly #root: string;
  readonly #directories: PodDirectories;
  readonly #procRoot: string;
  readonly #ownNamespace: string;
  /** Interfaces by cgroup uid: valid as long as the link is there. */
  readonly #known = new Map<string, PodInterface>();

  /** @param cgroupRoot directory under which kubelet cgroups are looked for */
  constructor(cgroupRoot: string, procRoot = '/proc') {
    this.#root = cgroupRoot;
    this.#directories = new PodDirectories(cgroupRoot);
    this.#procRoot = procRoot;
    this.#ownNamespace = namespaceId('/proc/thread-self/ns/net') ?? '';
  }

  /**
   * @param cgroupUids the pods that are wanted
   * @param hostLinks links of this network namespace
   */
  find(cgroupUids: readonly string[], hostLinks: readonly Link[]): Map<string, FoundPod> {
    const byIndex = new Map(hostLinks.map((link) => [link.index, link]));
    const wanted = new Set(cgroupUids);
    for (const [uid, { index, name }] of this.#known) {
      if (!wanted.has(uid) || byIndex.get(index)?.name !== name) this.#known.delete(uid);
    }
    let directories: Map<string, string> | undefined;
    const found = new Map<string, FoundPod>();
    for (const uid of wanted) {
      const known = this.#known.get(uid);
      if (known !== undefined) {
        found.set(uid, { interface: known });
        continue;
      }
      directories ??= this.#directories.scan();
      const pod = this.#lookFor(directories.get(uid), hostLinks);
      if ('interface' in pod) this.#known.set(uid, pod.interface);
      found.set(uid, pod);
    }
    return found;
  }

  #lookFor(directory: string | undefined, hostLinks: readonly Link[]): FoundPod {
    if (directory === undefined) return { problem: `no cgroup directory of the pod under ${this.#root}` };
    let problem = `no process in ${directory}`;
    let looked = 0;
    for (const pid of podProcesses(directory)) {
      if (++looked > PROCESSES_LOOKED_AT) break;
      const path = `${this.#procRoot}/${pid}/ns/net`;
      const namespace = namespaceId(path);
      // It ended while we looked; perhaps another one lives.
      if (namespace === undefined) continue;
      if (namespace === this.#ownNamespace) {
        problem = `process ${pid} of the pod is in the node's network namespace`;
        continue;
      }
      try {
        const peer = vethPeer(path, hostLinks);
        if (peer !== undefined) {
          const { index, name } = peer.host;
          return { interface: { index, name, namespaceCookie: namespaceCookie(path) } };
        }
        problem = whyInvisible(path, `of process ${pid}`);
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
      }
    }
    return { problem };
  }
}

/** Names a namespace by device and inode; undefined when it cannot be looked at. */
function namespaceId(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function namespaceCookie(path: string): bigint | undefined {
  const fd = inNetworkNamespace(path, () => openSocket(0));
  try {
    return networkNamespaceCookie(fd);
  } finally {
    closeFd(fd);
  }
}
