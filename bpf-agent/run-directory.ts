import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { isBpffs, unmountBpffs } from './loader/bpffs.ts';

/** What an agent leaves for the next one besides what is pinned. */
const RUN_FILES = ['boots.json', 'losses.json', 'policy-reasons.json', 'policies-kept.json', 'rule-hits.json'] as const;
export type RunFile = (typeof RUN_FILES)[number];

/**
 * Where an agent keeps what must outlive it:
 *
 *     agent.sock     its gRPC socket
 *     bpf/           a BPF file system: pinned programs, links and maps
 *     boots.json     former boots, for the gap after a restart
 *     losses.json    what was told of the datapath's counters
 *     policy-reasons.json  what the rule ids in kernel and records stand for
 *     policies-kept.json   last good states of policies that cannot be used now
 *     rule-hits.json how often rules have decided
 *     cluster-state.jsonl  what is known of the cluster, for a start without its API
 */
export class RunDirectory {
  readonly path: string;
  /** What could not be written yet, the newest text of each. */
  readonly #unwritten = new Map<RunFile, string>();
  /** Why what is to outlive the agent cannot be kept now, as on a full disk; empty when it is. */
  problem = '';

  constructor(path: string) {
    this.path = path;
  }

  get socket(): string {
    return join(this.path, 'agent.sock');
  }

  get pins(): string {
    return join(this.path, 'bpf');
  }

  get clusterState(): string {
    return join(this.path, 'cluster-state.jsonl');
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

  /**
   * All or nothing: a reader or a crash never meets half a file. These are notes for the next agent, so that one which cannot be
   * written keeps this one from nothing: it is a `problem`, and written by a later `settle`.
   */
  write(name: RunFile, text: string): void {
    const draft = join(this.path, `.${name}.${process.pid}`);
    try {
      writeFileSync(draft, text);
      chmodSync(draft, 0o600);
      renameSync(draft, join(this.path, name));
      this.#unwritten.delete(name);
      if (this.#unwritten.size === 0) this.problem = '';
    } catch (error) {
      rmSync(draft, { force: true });
      this.#unwritten.set(name, text);
      this.problem = `${join(this.path, name)} cannot be written: ${(error as Error).message}`;
    }
  }

  /** Writes what could not be written before. */
  settle(): void {
    for (const [name, text] of [...this.#unwritten]) this.write(name, text);
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
    for (const name of [...RUN_FILES, 'agent.sock', 'cluster-state.jsonl', '.cluster-state.jsonl']) {
      rmSync(join(this.path, name), { force: true });
    }
  }
}

function isMountPoint(path: string): boolean {
  return statSync(path).dev !== statSync(dirname(path)).dev;
}
