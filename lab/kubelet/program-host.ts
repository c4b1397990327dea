import type { ChildProcess } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FromProgramHost, ProgramStart, ToProgramHost } from '../programs/host-protocol.ts';
import { launch } from './launch.ts';
import { CONTAINER_PATH } from './tool.ts';

const MAIN = fileURLToPath(new URL('../programs/main.ts', import.meta.url));
const RESPAWN_MS = 500;

interface Running {
  started: () => void;
  ended: (code: number) => void;
}

/**
 * The one process that runs the built-in programs of all of a node's pods: a process for each would be tens of
 * megabytes a pod. It is started with its first program and again should it die; what ran in it has then ended.
 */
export class ProgramHost {
  readonly #netns: string;
  readonly #cgroup: string;
  readonly #logPath: string;
  readonly #running = new Map<string, Running>();
  #child: ChildProcess | undefined;
  #notBefore = 0;
  #closed = false;

  constructor(netns: string, nodeCgroup: string, logPath: string) {
    this.#netns = netns;
    this.#cgroup = join(nodeCgroup, 'system.slice', 'waggle-programs.service');
    this.#logPath = logPath;
  }

  /** Runs a program. `started` is called when it has begun, `ended` once with its exit code. */
  async run(start: ProgramStart, started: () => void, ended: (code: number) => void): Promise<void> {
    this.#running.set(start.id, { started, ended });
    const pause = this.#notBefore - Date.now();
    if (!this.#child && pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    if (this.#closed || !this.#running.has(start.id)) return;
    this.#send({ type: 'start', start });
  }

  /** Ends a program; its `ended` is not called any more. */
  stop(id: string): void {
    if (this.#running.delete(id) && this.#child) this.#send({ type: 'stop', id });
  }

  /** Starts the process ahead of its first program, to have it warm. */
  warm(): void {
    this.#child ??= this.#spawn();
  }

  close(): void {
    this.#closed = true;
    this.#running.clear();
    this.#child?.kill('SIGKILL');
  }

  #send(message: ToProgramHost): void {
    this.#child ??= this.#spawn();
    this.#child.send(message, () => {}); // a failure to send is the process's end, which is handled there
  }

  #spawn(): ChildProcess {
    mkdirSync(this.#cgroup, { recursive: true });
    const log = openSync(this.#logPath, 'a');
    const child = launch({
      cgroup: this.#cgroup,
      netns: this.#netns,
      // A small young generation: many little sockets, little live data.
      command: [process.execPath, '--max-semi-space-size=2', MAIN],
      env: { PATH: CONTAINER_PATH },
      stdio: ['ignore', log, log, 'ipc'],
    });
    child.on('message', (message: FromProgramHost) => this.#receive(message));
    const gone = (): void => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#notBefore = Date.now() + RESPAWN_MS;
      const lost = [...this.#running.values()];
      this.#running.clear();
      for (const { ended } of lost) ended(137);
    };
    child.on('exit', gone);
    child.on('error', gone);
    return child;
  }

  #receive(message: FromProgramHost): void {
    if (message.type === 'ready') return;
    const running = this.#running.get(message.id);
    if (message.type === 'started') running?.started();
    else if (this.#running.delete(message.id)) running?.ended(message.code);
  }
}
