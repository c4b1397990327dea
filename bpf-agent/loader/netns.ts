/** Doing something inside another network namespace, on this thread. */
import { closeSync, openSync } from 'node:fs';

import { setNetworkNamespace } from './libc.ts';
import { LoaderError } from './loader-error.ts';

/** A process id, or the path of a namespace file (`/run/netns/x`, `/proc/1/ns/net`). */
export type NetworkNamespace = number | string;

export function networkNamespacePath(namespace: NetworkNamespace): string {
  return typeof namespace === 'number' ? `/proc/${namespace}/ns/net` : namespace;
}

/**
 * A file descriptor of `namespace`, which is the caller's to close.
 * @throws LoaderError `namespace-failed` when it cannot be opened (the process may have ended).
 */
export function openNetworkNamespace(namespace: NetworkNamespace): number {
  const path = networkNamespacePath(namespace);
  try {
    return openSync(path, 'r');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LoaderError('namespace-failed', `cannot open the network namespace ${path}: ${reason}`);
  }
}

/**
 * Runs `action` with this thread inside `namespace` and comes back. The action must be synchronous: whatever it leaves
 * to the event loop runs outside. Sockets it opens stay in the namespace.
 * @throws LoaderError `namespace-failed` when the namespace cannot be entered (the process may have ended).
 */
export function inNetworkNamespace<T>(namespace: NetworkNamespace, action: () => T): T {
  const home = openSync('/proc/thread-self/ns/net', 'r');
  try {
    const target = openNetworkNamespace(namespace);
    try {
      const { value, errno } = setNetworkNamespace(target);
      if (value < 0) {
        const path = networkNamespacePath(namespace);
        throw new LoaderError('namespace-failed', `cannot enter the network namespace ${path}`, errno);
      }
    } finally {
      closeSync(target);
    }
    try {
      return action();
    } finally {
      const { value } = setNetworkNamespace(home);
      // Going on in the wrong namespace would attach programs and open servers in somebody's pod.
      if (value < 0) process.abort();
    }
  } finally {
    closeSync(home);
  }
}
