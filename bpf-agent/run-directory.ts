import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { isBpffs, unmountBpffs } from './loader/bpffs.ts';

/** What an agent leaves for the next one besides what is pinned. */
export type RunFile = 'boots.json' | 'losses.json' | 'policy-reasons.json';

/**
 * Where an agent keeps what must outlive it:
 *
 *     agent.sock     its gRPC socket
 *     bpf/           a BPF file system: pinned programs, links and maps
 *     boots.json     former boots, for the gap after a restart
 *     losses.json    what was told of the datapath's counters
 *     policy-reasons.json  what the rule ids in kernel and records stand for
 */
export class RunDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get socket(): string {
    return join(this.path, 'agent.sock');
  }

  get pins(): string {
    return join(this.path, 'bpf');
  }

  create(): void {
    mkdirSync(this.path, { recursive: true, mode: 0o755 });
  }

  read(name: RunFile): string {
    try {
      return readFileSync(join(this.path, name), 'utf8');
    } catch {
      return '';
    }
  }

  /** All or nothing: a reader or a crash never meets half a file. */
  write(name: RunFile, text: string): void {
    const draft = join(this.path, `.${name}.${process.pid}`);
    writeFileSync(draft, text);
    chmodSync(draft, 0o600);
    renameSync(draft, join(this.path, name));
  }

  /** True when an agent answers on the socket. */
  inUse(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect({ path: this.socket });
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
  }

  /** Takes every pinned program off its hook, and forgets. The directory itself stays. */
  clean(): void {
    if (isBpffs(this.pins)) {
      // Links first: without them no program is at work while its maps go.
      for (const folder of ['links', 'maps']) rmSync(join(this.pins, folder), { recursive: true, force: true });
      if (isMountPoint(this.pins)) unmountBpffs(this.pins);
    }
    rmSync(this.pins, { recursive: true, force: true });
    for (const name of ['boots.json', 'losses.json', 'agent.sock']) rmSync(join(this.path, name), { force: true });
  }
}

function isMountPoint(path: string): boolean {
  return statSync(path).dev !== statSync(dirname(path)).dev;
}
