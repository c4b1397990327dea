/** The programs of the node's uplinks: Services for clients outside. Pinned, they outlive the process. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { attachClsact, detachClsact } from './clsact.ts';
import { LoaderError } from './loader-error.ts';
import { attachTcx, type Hook, openPinnedTcx, releaseTcx, type TcxLink, tcxUnsupported, updateTcx } from './tcx.ts';

const PROGRAMS = { ingress: 'from_outside', egress: 'to_outside' } as const;
const HOOKS: readonly Hook[] = ['ingress', 'egress'];
const PIN = /^service-uplink-(\d+)-(ingress|egress)$/;

/** Names of the programs. */
export const UPLINK_PROGRAMS: readonly string[] = Object.values(PROGRAMS);

/** Whether an earlier process has left them at work. */
export function hasPinnedUplinks(pinDirectory: string): boolean {
  return existsSync(pinDirectory) && readdirSync(pinDirectory).some((name) => PIN.test(name));
}

type ProgramFd = (name: (typeof PROGRAMS)[Hook]) => number;

export class UplinkHooks {
  readonly #programFd: ProgramFd;
  readonly #pinDirectory: string | undefined;
  /** The older hook is asked for, or is all this kernel has. */
  #older: boolean;
  /** By `interface-hook`. */
  readonly #links = new Map<string, TcxLink>();
  readonly #filtered = new Set<number>();

  /** Takes over what an earlier process has pinned, with its own programs. */
  constructor(programFd: ProgramFd, pinDirectory: string | undefined, older: boolean) {
    this.#programFd = programFd;
    this.#pinDirectory = pinDirectory;
    this.#older = older;
    if (pinDirectory === undefined) return;
    for (const name of readdirSync(pinDirectory)) {
      const [, index, hook] = PIN.exec(name) ?? [];
      if (index === undefined) continue;
      const link = openPinnedTcx(join(pinDirectory, name));
      if (link === undefined) continue;
      updateTcx(link, programFd(PROGRAMS[hook as Hook]));
      this.#links.set(`${index}-${hook}`, link);
    }
  }

  /** @throws LoaderError for the first interface that would not take them. */
  apply(interfaceIndexes: readonly number[]): void {
    for (const [key, link] of [...this.#links]) {
      if (interfaceIndexes.includes(Number.parseInt(key, 10))) continue;
      releaseTcx(link, this.#pin(key));
      this.#links.delete(key);
    }
    for (const index of [...this.#filtered]) {
      if (interfaceIndexes.includes(index)) continue;
      for (const hook of HOOKS) detachClsact(index, hook);
      this.#filtered.delete(index);
    }
    let failed: unknown;
    for (const index of interfaceIndexes) {
      try {
        this.#attach(index);
      } catch (error) {
        failed ??= error;
      }
    }
    if (failed !== undefined) throw failed;
  }

  /** Without pins the programs are off now; pinned ones, and filters, stay at work. */
  close(): void {
    for (const link of this.#links.values()) releaseTcx(link);
    this.#links.clear();
  }

  #attach(index: number): void {
    if (!this.#older) {
      try {
        // What goes out first: nothing that comes in is exchanged before its answer would be.
        for (const hook of [...HOOKS].reverse()) {
          const key = `${index}-${hook}`;
          if (this.#links.has(key)) continue;
          this.#links.set(key, attachTcx(this.#programFd(PROGRAMS[hook]), index, hook, this.#pin(key)));
        }
        return;
      } catch (error) {
        const code = error instanceof LoaderError && error.code === 'attach-failed' ? (error.errno ?? 0) : 0;
        if (!tcxUnsupported(code)) throw error;
        this.#older = true;
      }
    }
    if (this.#filtered.has(index)) return;
    for (const hook of [...HOOKS].reverse()) attachClsact(this.#programFd(PROGRAMS[hook]), index, hook);
    this.#filtered.add(index);
  }

  #pin(key: string): string | undefined {
    return this.#pinDirectory === undefined ? undefined : join(this.#pinDirectory, `service-uplink-${key}`);
  }
}
