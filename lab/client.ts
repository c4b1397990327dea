import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import type {
  AgentAction,
  ApplyResponse,
  DeleteResponse,
  ExecTarget,
  LabStatus,
  LogFile,
  ObjectName,
} from './control-requests.ts';
import { enterContainer } from './enter-container.ts';
import { labLayout } from './lab-layout.ts';
import type { ManifestSource } from './manifest/read-sources.ts';
import type { KubeObject } from './store/objects.ts';

/** A verb that failed in a way the person can do something about. */
export class LabError extends Error {}

export interface ExecResult {
  status: number;
  stdout: string;
  stderr: string;
}

/** Speaks with a running lab through its control socket. */
export class LabClient {
  readonly name: string;
  readonly #socket: string;

  constructor(name: string) {
    this.name = name;
    this.#socket = labLayout(name).controlSocket;
  }

  status(): Promise<LabStatus> {
    return this.#call('GET', '/lab');
  }

  apply(sources: ManifestSource[], namespace = 'default'): Promise<ApplyResponse> {
    return this.#call('POST', '/apply', { sources, namespace });
  }

  delete(what: { sources?: ManifestSource[]; objects?: ObjectName[] }, namespace = 'default'): Promise<DeleteResponse> {
    return this.#call('POST', '/delete', { ...what, namespace });
  }

  /** Objects of a kind ("Pod"), of one namespace or of all. */
  async list<T extends KubeObject>(kind: T['kind'], namespace?: string): Promise<T[]> {
    const query = namespace === undefined ? '' : `?namespace=${encodeURIComponent(namespace)}`;
    const { items } = await this.#call<{ items: T[] }>('GET', `/objects/${kind}${query}`);
    return items;
  }

  scale(namespace: string, name: string, replicas: number): Promise<ObjectName> {
    return this.#call('POST', '/scale', { kind: 'Deployment', namespace, name, replicas });
  }

  agent(node: string, action: AgentAction): Promise<{ node: string; agent: string }> {
    return this.#call('POST', `/agents/${encodeURIComponent(node)}/${action}`);
  }

  /** @param pod a pod's name, or its workload's. */
  execTarget(namespace: string, pod: string, container?: string): Promise<ExecTarget> {
    return this.#call('GET', `/exec-target?${podQuery(namespace, pod, container)}`);
  }

  /** Runs a command in a pod and gathers what it prints. */
  async exec(namespace: string, pod: string, command: string[], input = ''): Promise<ExecResult> {
    const { file, args, options } = enterContainer(await this.execTarget(namespace, pod), command);
    return new Promise((resolve, reject) => {
      const child = spawn(file, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
      let stdout = '';
      let stderr = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        stderr += text;
      });
      child.on('error', reject);
      child.on('close', (code) => resolve({ status: code ?? 128, stdout, stderr }));
      child.stdin.on('error', () => {}); // it need not read what it is given
      child.stdin.end(input);
    });
  }

  async log(namespace: string, pod: string, container?: string): Promise<string> {
    const { path } = await this.#call<LogFile>('GET', `/log?${podQuery(namespace, pod, container)}`);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  }

  #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const call = request({ socketPath: this.#socket, method, path }, (response) => {
        let answer = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          answer += chunk;
        });
        response.on('error', reject);
        response.on('end', () => {
          const value = JSON.parse(answer) as T & { error?: string };
          if (response.statusCode === 200) resolve(value);
          else reject(new LabError(value.error ?? `status ${response.statusCode}`));
        });
      });
      call.on('error', (error: NodeJS.ErrnoException) => {
        const absent = error.code === 'ENOENT' || error.code === 'ECONNREFUSED';
        const denied = error.code === 'EACCES' ? new LabError('the lab belongs to root: run this as root') : error;
        reject(absent ? new LabError(notRunning(this.name, error.code === 'ECONNREFUSED')) : denied);
      });
      call.end(text);
    });
  }
}

function notRunning(name: string, crashed: boolean): string {
  const named = name === 'waggle' ? '' : ` --name ${name}`;
  return crashed
    ? `lab "${name}" has lost its supervisor; run "waggle lab down${named}", then "waggle lab up${named}"`
    : `lab "${name}" is not running; "waggle lab up${named}" starts it`;
}

function podQuery(namespace: string, pod: string, container?: string): string {
  const query = new URLSearchParams({ namespace, pod });
  if (container !== undefined) query.set('container', container);
  return query.toString();
}
