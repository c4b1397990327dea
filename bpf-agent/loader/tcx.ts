/**
 * tcx links (kernel ≥ 6.6): a program on an interface's hook, beside others. A pinned link outlives the process, and
 * changes its program without a moment in which none runs.
 */
import { closeSync, existsSync, rmSync } from 'node:fs';

import { libbpf } from './libbpf.ts';
import { LoaderError } from './loader-error.ts';

/** Seen from the interface: ingress = what comes out of the pod behind it. */
export type Hook = 'ingress' | 'egress';

const ATTACH_TYPE: Record<Hook, number> = { ingress: 46, egress: 47 };
const ENODEV = 19;
const EEXIST = 17;

export interface TcxLink {
  readonly fd: number;
  readonly interfaceIndex: number;
}

/** Whether an error means that this kernel has no tcx, as opposed to this attachment having failed. */
export function tcxUnsupported(errno: number): boolean {
  const EINVAL = 22;
  const EOPNOTSUPP = 95;
  return errno === EINVAL || errno === EOPNOTSUPP;
}

/**
 * Attaches and pins. The interface is looked up in this thread's network namespace.
 * @throws LoaderError `interface-gone`, `attach-failed` (see `tcxUnsupported`), `pin-failed`.
 */
export function attachTcx(programFd: number, interfaceIndex: number, hook: Hook, pinPath?: string): TcxLink {
  const fd = libbpf().linkCreate(programFd, interfaceIndex, ATTACH_TYPE[hook], null);
  if (fd === -ENODEV) throw new LoaderError('interface-gone', `there is no interface ${interfaceIndex}`, ENODEV);
  if (fd < 0) throw new LoaderError('attach-failed', `cannot attach to ${hook} of interface ${interfaceIndex}`, -fd);
  if (pinPath !== undefined) {
    let error = libbpf().pin(fd, pinPath);
    if (error === -EEXIST) {
      rmSync(pinPath, { force: true });
      error = libbpf().pin(fd, pinPath);
    }
    if (error < 0) {
      closeSync(fd);
      throw new LoaderError('pin-failed', `cannot pin the link ${pinPath}`, -error);
    }
  }
  return { fd, interfaceIndex };
}

/** Opens a pinned link; undefined when there is no pin, or its interface is gone (the pin is removed then). */
export function openPinnedTcx(pinPath: string): TcxLink | undefined {
  if (!existsSync(pinPath)) return undefined;
  const fd = libbpf().get(pinPath);
  if (fd >= 0) {
    const interfaceIndex = interfaceOfLink(fd);
    if (interfaceIndex) return { fd, interfaceIndex };
    closeSync(fd);
  }
  rmSync(pinPath, { force: true });
  return undefined;
}

/** Replaces the link's program at once. @throws LoaderError `interface-gone`, `attach-failed`. */
export function updateTcx(link: TcxLink, programFd: number): void {
  const error = libbpf().linkUpdate(link.fd, programFd, null);
  const ENOLINK = 67;
  if (error === -ENOLINK) throw new LoaderError('interface-gone', `interface ${link.interfaceIndex} is gone`, ENOLINK);
  if (error < 0) {
    const what = `cannot replace the program on interface ${link.interfaceIndex}`;
    throw new LoaderError('attach-failed', what, -error);
  }
}

/** Lets the link go: with no pin and no descriptor left, the kernel detaches it. */
export function releaseTcx(link: TcxLink, pinPath?: string): void {
  if (pinPath !== undefined) rmSync(pinPath, { force: true });
  closeSync(link.fd);
}

/** The interface a tcx link is on; 0 when the interface is gone or the link is of another kind. */
function interfaceOfLink(fd: number): number {
  const LINK_TYPE_TCX = 11;
  const info = new Uint8Array(64);
  const view = new DataView(info.buffer);
  const error = libbpf().info(fd, info, new Uint32Array([info.length]));
  if (error < 0 || view.getUint32(0, true) !== LINK_TYPE_TCX) return 0;
  return view.getUint32(16, true);
}
