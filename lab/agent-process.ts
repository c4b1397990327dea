import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { AgentService } from '#proto/gen/waggle/v1/agent_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { launch } from './kubelet/launch.ts';
import { CONTAINER_PATH } from './kubelet/tool.ts';
import { agentSocket, type LabLayout, nodeRunDir } from './lab-layout.ts';

const WAGGLE = fileURLToPath(new URL('../cli/waggle.ts', import.meta.url));
const MAX_BACKOFF_MS = 10_000;
/** An agent that lived this long starts again at once. */
const STEADY_MS = 30_000;
const STOP_GRACE_MS = 5_000;

export interface AgentPlace {
  layout: LabLayout;
  node: string;
  netns: string;
  nodeCgroup: string;
  /** Of the API server it reads the cluster's state from; undefined = from the lab's folder. */
  kubeconfig: string | undefined;
  listen: string;
}

/** Keeps a node's agent running, in the node's network namespace and cgroup. */
export class AgentProcess {
  readonly logPath: string;
  readonly #place: AgentPlace;
  readonly #cgroup: string;
  #child: ChildProcess | undefined;
  #wanted = false;
  #failures = 0;
  #retry: NodeJS.Timeout | undefined;

  constructor(place: AgentPlace) {
    this.#place = place;
    this.#cgroup = join(place.nodeCgroup, 'system.slice', 'waggle-agent.service');
    this.logPath = join(nodeRunDir(place.layout, place.node), 'agent.log');
  }

  get state(): 'running' | 'restarting' | 'stopped' {
    if (!this.#wanted) return 'stopped';
    return this.#child ? 'running' : 'restarting';
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    this.#wanted = true;
    if (!this.#child) this.#spawn();
  }

  /** Ends the agent in good order and leaves it so. */
  async stop(): Promise<void> {
    this.#wanted = false;
    clearTimeout(this.#retry);
    const child = this.#child;
    if (!child) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
    await gone;
    clearTimeout(late);
  }

  /** Does not bring the agent back any more: whoever ends it now removes the rest too. */
  letGo(): void {
    this.#wanted = false;
    clearTimeout(this.#retry);
  }

  async restart(): Promise<void> {
    await this.stop();
    this.start();
  }

  /** Ends the agent as a crash would; it comes back by itself. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** Resolves when the agent answers. Rejects, with the end of its log, when it does not within `deadlineMs`. */
  async ready(deadlineMs: number): Promise<void> {
    const deadline = Date.now() + deadlineMs;
    const client = createClient(AgentService, `unix:${agentSocket(this.#place.layout, this.#place.node)}`);
    try {
      for (;;) {
        try {
          await client.listEndpoints({}, { deadlineMs: 2_000 });
          return;
        } catch (error) {
          if (Date.now() > deadline) {
            const why = `the agent of ${this.#place.node} does not answer: ${(error as Error).message}`;
            throw new Error(`${why}\n${this.#logTail()}`);
          }
        }
        await sleep(50);
      }
    } finally {
      client.close();
    }
  }

  #spawn(): void {
    const { layout, node, netns, listen, nodeCgroup, kubeconfig } = this.#place;
    mkdirSync(this.#cgroup, { recursive: true });
    const log = openSync(this.logPath, 'a');
    // Whoever starts a lab sets its agents by the same variables; what is particular to a node stands in flags, which win.
    const settings = Object.entries(process.env).filter(
      ([name]) => name.startsWith('WAGGLE_') || name === 'NODE_OPTIONS',
    );
    const child = launch({
      cgroup: this.#cgroup,
      netns,
      command: [
        ...[process.execPath, WAGGLE, 'agent', '--node-name', node, '--cluster-name', layout.name],
        ...(kubeconfig === undefined
          ? ['--source', 'folder', '--state-dir', layout.stateDir]
          : ['--source', 'kubernetes', '--kubeconfig', kubeconfig]),
        ...['--run-dir', nodeRunDir(layout, node)],
        ...['--listen', listen, '--cgroup-root', nodeCgroup],
      ],
      env: { PATH: CONTAINER_PATH, HOME: process.env.HOME ?? '/root', ...Object.fromEntries(settings) } as Record<
        string,
        string
      >,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const began = Date.now();
    this.#child = child;
    const gone = (): void => {
      if (this.#child !== child) return;
      this.#child = undefined;
      if (!this.#wanted) return;
      this.#failures = Date.now() - began > STEADY_MS ? 0 : this.#failures + 1;
      const pause = Math.min(MAX_BACKOFF_MS, 100 * 2 ** Math.min(10, this.#failures - 1));
      this.#retry = setTimeout(() => this.start(), this.#failures === 0 ? 0 : pause);
    };
    child.on('exit', gone);
    child.on('error', gone);
  }

  #logTail(): string {
    try {
      return readFileSync(this.logPath, 'utf8').trimEnd().split('\n').slice(-8).join('\n');
    } catch {
      return '(it has written no log)';
    }
  }
}
