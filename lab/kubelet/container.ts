import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { builtInProgram } from '../manifest/pod-spec.ts';
import { timestamp } from '../store/object-store.ts';
import type { Container as ContainerSpec, ContainerStatus, Pod } from '../store/objects.ts';
import { killCgroup, removeCgroup } from './cgroup.ts';
import { containerCgroup } from './cgroup-path.ts';
import { containerCommand, containerEnv, podHostname } from './environment.ts';
import { isolated, launch } from './launch.ts';
import type { NodeContext } from './node-context.ts';

/** Stands for a built-in program as a process of the container: ends with the code it is told, or when killed. */
const STAND_IN = ['/bin/sh', '-c', 'read -r code || exit 137; exit "$code"'];

export interface ContainerPlace {
  netns: string;
  /** The pod's cgroup directory. */
  podCgroup: string;
}

/** One container of a pod, from one start to its end and on to the next. It keeps its own status. */
export class Container {
  readonly name: string;
  readonly #spec: ContainerSpec;
  readonly #node: NodeContext;
  readonly #place: ContainerPlace;
  readonly #changed: () => void;
  #id = '';
  #cgroup = '';
  #child: ChildProcess | undefined;
  #startedAt = 0;
  status: ContainerStatus;

  constructor(spec: ContainerSpec, node: NodeContext, place: ContainerPlace, changed: () => void) {
    this.name = spec.name;
    this.#spec = spec;
    this.#node = node;
    this.#place = place;
    this.#changed = changed;
    this.status = waitingStatus(spec, 'ContainerCreating');
  }

  /** Directory of the cgroup of the container's present run. */
  get cgroup(): string {
    return this.#cgroup;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How long its present or last run has lasted, in milliseconds. */
  get ranMs(): number {
    return this.#startedAt === 0 ? 0 : Date.now() - this.#startedAt;
  }

  /** Starts the container. Resolves with its exit code when it has ended and nothing of it is left. */
  async run(pod: Pod): Promise<number> {
    this.#id = randomBytes(32).toString('hex');
    this.#cgroup = join(this.#place.podCgroup, containerCgroup(this.#node.cgroupDriver, this.#id));
    mkdirSync(this.#cgroup, { recursive: true });
    const logPath = containerLogPath(this.#node, pod, this.name);
    const env = containerEnv(pod, this.#spec, this.#node.containerEnv);
    const program = builtInProgram(this.#spec.image);
    const log = openSync(logPath, 'a');
    const child = launch({
      cgroup: this.#cgroup,
      netns: this.#place.netns,
      command: program === undefined ? containerCommand(this.#spec, env) : STAND_IN,
      env,
      stdio: [program === undefined ? 'ignore' : 'pipe', log, log],
      isolation: {
        resolvConf: this.#node.resolvConf.pathFor(pod.metadata.namespace ?? ''),
        hostname: podHostname(pod),
        ...(this.#spec.workingDir === undefined ? {} : { workingDir: this.#spec.workingDir }),
      },
    });
    closeSync(log);
    this.#child = child;
    this.#startedAt = Date.now();
    const ended = new Promise<number>((resolve) => {
      child.on('error', (error) => {
        appendFileSync(logPath, `${error.message}\n`);
        resolve(128);
      });
      child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
    });
    await isolated(child);
    if (program === undefined) this.#running();
    else this.#runProgram(program, pod, env, logPath, child);
    const exitCode = await ended;
    this.#node.programs.stop(this.#id);
    this.#child = undefined;
    await removeCgroup(this.#cgroup);
    this.#ended(exitCode);
    return exitCode;
  }

  #runProgram(program: string, pod: Pod, env: Record<string, string>, logPath: string, standIn: ChildProcess): void {
    standIn.stdin?.on('error', () => {}); // it may have been killed before it was told
    const start = {
      id: this.#id,
      program,
      args: containerCommand(this.#spec, env),
      env,
      netns: this.#place.netns,
      resolvConf: this.#node.resolvConf.pathFor(pod.metadata.namespace ?? ''),
      stateDir: this.#node.layout.stateDir,
      logPath,
    };
    const tell = (code: number): void => {
      standIn.stdin?.end(`${code}\n`);
    };
    this.#node.programs
      .run(start, () => this.#running(), tell)
      .catch((error: Error) => {
        appendFileSync(logPath, `${error.message}\n`);
        tell(128);
      });
  }

  /** Asks the container to end. */
  terminate(): void {
    this.#child?.kill('SIGTERM');
  }

  kill(): void {
    if (this.#child) killCgroup(this.#cgroup);
  }

  /** Says that the container waits, and what for. */
  waiting(reason: string, message?: string): void {
    const state = { waiting: { reason, ...(message === undefined ? {} : { message }) } };
    const lastState = this.status.state.terminated
      ? { terminated: this.status.state.terminated }
      : this.status.lastState;
    this.status = { ...this.status, ready: false, started: false, state, lastState };
    this.#changed();
  }

  /** Counts a restart that is about to happen. */
  restarting(): void {
    this.status = { ...this.status, restartCount: this.status.restartCount + 1 };
  }

  #running(): void {
    if (!this.#child) return;
    const { terminated } = this.status.state;
    this.status = {
      ...this.status,
      containerID: `waggle://${this.#id}`,
      ready: true,
      started: true,
      state: { running: { startedAt: timestamp() } },
      lastState: terminated ? { terminated } : this.status.lastState,
    };
    this.#changed();
  }

  #ended(exitCode: number): void {
    const terminated = {
      exitCode,
      reason: exitCode === 0 ? 'Completed' : 'Error',
      startedAt: new Date(this.#startedAt).toISOString().replace(/\.\d+Z$/, 'Z'),
      finishedAt: timestamp(),
    };
    this.status = { ...this.status, ready: false, started: false, state: { terminated } };
    this.#changed();
  }
}

export function waitingStatus(spec: ContainerSpec, reason: string): ContainerStatus {
  return {
    name: spec.name,
    image: spec.image,
    ready: false,
    started: false,
    restartCount: 0,
    state: { waiting: { reason } },
    lastState: {},
  };
}

export function containerLogPath(node: Pick<NodeContext, 'layout'>, pod: Pod, container: string): string {
  const { namespace, name, uid } = pod.metadata;
  return join(node.layout.logsDir, `${namespace}_${name}_${uid}_${container}.log`);
}
