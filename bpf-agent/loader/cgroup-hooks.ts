/**
 * Programs on a cgroup v2 directory: they are asked for every socket of its processes, and of those below, when it connects,
 * sends, asks for its peer or is released. Links are pinned, and change their program without a moment in which none runs.
 */
import { closeSync, existsSync, openSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { libbpf } from './libbpf.ts';
import { LoaderError } from './loader-error.ts';

/** Program → `enum bpf_attach_type`. */
const HOOKS = {
  connect4: 10,
  connect6: 11,
  sendmsg4: 14,
  sendmsg6: 15,
  recvmsg4: 19,
  recvmsg6: 20,
  getpeername4: 29,
  getpeername6: 30,
  release_socket: 34,
} as const;

/** Names of the programs. */
export const SOCKET_PROGRAMS: readonly string[] = Object.keys(HOOKS);

const LINK_TYPE_CGROUP = 3;

/** The links of one cgroup. */
export class CgroupHooks {
  readonly #links: number[] = [];

  /**
   * @param directory a cgroup v2 directory
   * @param programFd descriptor of a program by its name
   * @param pinDirectory where the links outlive the process; without it they end with it
   * @throws LoaderError `attach-failed` when the kernel refuses; then none of this call stays attached
   */
  constructor(directory: string, programFd: (name: string) => number, pinDirectory?: string) {
    let cgroup: number;
    try {
      cgroup = openSync(directory, 'r');
    } catch (error) {
      throw new LoaderError('attach-failed', `cannot open the cgroup ${directory}: ${(error as Error).message}`);
    }
    const id = statSync(directory, { bigint: true }).ino;
    try {
      for (const [name, type] of Object.entries(HOOKS)) {
        const pin = pinDirectory === undefined ? undefined : join(pinDirectory, `service-${name}`);
        this.#links.push(adopt(pin, id, programFd(name)) ?? attach(cgroup, directory, programFd(name), type, pin));
      }
    } catch (error) {
      this.close();
      throw error;
    } finally {
      closeSync(cgroup);
    }
  }

  /** Without pins the programs are off now; pinned ones stay at work. */
  close(): void {
    for (const link of this.#links.splice(0)) closeSync(link);
  }
}

/** Gives the link an earlier process left the new program; undefined when there is none, or it is on another cgroup. */
function adopt(pin: string | undefined, cgroupId: bigint, programFd: number): number | undefined {
  if (pin === undefined || !existsSync(pin)) return undefined;
  const link = libbpf().get(pin);
  if (link >= 0) {
    if (cgroupOfLink(link) === cgroupId && libbpf().linkUpdate(link, programFd, null) === 0) return link;
    closeSync(link);
  }
  rmSync(pin, { force: true });
  return undefined;
}

function attach(cgroup: number, directory: string, programFd: number, type: number, pin: string | undefined): number {
  const link = libbpf().linkCreate(programFd, cgroup, type, null);
  if (link < 0) throw new LoaderError('attach-failed', `cannot attach Services to the cgroup ${directory}`, -link);
  if (pin === undefined) return link;
  const error = libbpf().pin(link, pin);
  if (error < 0) {
    closeSync(link);
    throw new LoaderError('pin-failed', `cannot pin the link ${pin}`, -error);
  }
  return link;
}

/** The id (inode) of the cgroup a link is on; 0 when the cgroup is gone. */
function cgroupOfLink(fd: number): bigint {
  const info = new Uint8Array(64);
  const view = new DataView(info.buffer);
  const error = libbpf().info(fd, info, new Uint32Array([info.length]));
  if (error < 0 || view.getUint32(0, true) !== LINK_TYPE_CGROUP) return 0n;
  return view.getBigUint64(16, true);
}
