import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { apiServerObstacle } from '#runtime/testing/api-server.ts';
import { LabClient, LabError } from './client.ts';
import type { CgroupDriver } from './kubelet/cgroup-path.ts';
import { DEFAULT_LAB_NAME, labLayout, labNameProblem, RUN_ROOT } from './lab-layout.ts';
import { MAX_NODES } from './network/subnets.ts';
import type { SupervisorMessage, SupervisorOptions } from './supervisor.ts';
import { livingSupervisor, writeSupervisorRecord } from './supervisor-record.ts';
import { labExists, takeDown } from './take-down.ts';

const SUPERVISOR = fileURLToPath(new URL('./supervisor.ts', import.meta.url));

export interface LabOptions {
  name?: string;
  /** 1 to MAX_NODES; default 2. */
  nodes?: number;
  /** Whether every node runs an agent; default true. */
  agents?: boolean;
  cgroupDriver?: CgroupDriver;
  /** Where agents read the cluster's state; default the lab's folder. `kubernetes` starts a real API server beside it. */
  source?: 'folder' | 'kubernetes';
  /** Leaves the lab running when this process ends. Default false: it goes with this process, however that ends. */
  detached?: boolean;
  onProgress?: (message: string) => void;
}

/** A lab this process started. */
export class Lab extends LabClient {
  readonly #exited: Promise<void>;

  constructor(name: string, exited: Promise<void>) {
    super(name);
    this.#exited = exited;
  }

  /** Resolves when the lab has ended, whoever ended it. Never, for a detached one. */
  get ended(): Promise<void> {
    return this.#exited;
  }

  /** What the supervisor complained about, if it did. Gone with the lab. */
  get supervisorLog(): string {
    return labLayout(this.name).supervisorLog;
  }

  /** Removes the lab. Resolves when nothing of it is left. */
  down(): Promise<void> {
    return takeDown(this.name);
  }
}

/**
 * Brings a lab up; resolves when its nodes and agents stand. What a crashed lab of the same name left is removed first.
 * Rejects with LabError when one of that name runs, or with what went wrong; then nothing is left behind.
 */
export async function startLab(options: LabOptions = {}): Promise<Lab> {
  const { name = DEFAULT_LAB_NAME, nodes = 2, agents = true, cgroupDriver = 'systemd', detached = false } = options;
  const { source = 'folder' } = options;
  const problem = labNameProblem(name);
  if (problem !== undefined) throw new LabError(problem);
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > MAX_NODES) {
    throw new LabError(`a lab has 1 to ${MAX_NODES} nodes, not ${nodes}`);
  }
  if (process.getuid?.() !== 0) throw new LabError('a lab makes network namespaces and cgroups: run this as root');
  const layout = labLayout(name);
  if (livingSupervisor(layout)) {
    throw new LabError(
      `lab "${name}" runs already; "waggle lab down${name === DEFAULT_LAB_NAME ? '' : ` --name ${name}`}" ends it, --name starts another beside it`,
    );
  }
  if (labExists(name)) {
    options.onProgress?.(`removing what a lab "${name}" that crashed has left`);
    await takeDown(name);
  }
  const obstacle = source === 'kubernetes' ? apiServerObstacle() : undefined;
  if (obstacle !== undefined) throw new LabError(obstacle);
  return spawnSupervisor(
    { name, nodes, agents, cgroupDriver, source, owned: !detached },
    options.onProgress ?? (() => {}),
  );
}

function spawnSupervisor(options: SupervisorOptions, onProgress: (message: string) => void): Promise<Lab> {
  const layout = labLayout(options.name);
  mkdirSync(RUN_ROOT, { recursive: true });
  try {
    // Exclusive: of two that start a lab of one name at once, one loses here.
    mkdirSync(layout.dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return Promise.reject(new LabError(`lab "${options.name}" is being started by someone else`));
  }
  const log = openSync(layout.supervisorLog, 'a');
  const child = spawn(process.execPath, [SUPERVISOR, JSON.stringify(options)], {
    cwd: '/',
    // A session of its own: a Ctrl-C in the terminal is for the process that started it, which then decides.
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  if (child.pid !== undefined) writeSupervisorRecord(layout, child.pid);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return new Promise((resolve, reject) => {
    let failure = `the lab's supervisor ended unexpectedly; see ${layout.supervisorLog}`;
    child.on('message', (message: SupervisorMessage) => {
      if (message.type === 'progress') onProgress(message.message);
      else if (message.type === 'failed') failure = message.message;
      else {
        if (!options.owned) {
          if (child.connected) child.disconnect();
          child.unref();
        }
        resolve(new Lab(options.name, exited));
      }
    });
    child.once('error', reject);
    // When it failed it removes what it had made, and ends only then.
    child.once('exit', () => reject(new LabError(failure)));
  });
}
