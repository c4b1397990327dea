/**
 * For specs: a node made of real parts. A network namespace, pods with veth pair, cgroup directory and process, a state
 * folder, and the agent as its own process, started as a person would start it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentService } from '#proto/gen/waggle/v1/agent_pb.ts';
import { FlowService } from '#proto/gen/waggle/v1/flow_pb.ts';
import { findCgroup2 } from '#runtime/cgroup-mount.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { RunDirectory } from '../run-directory.ts';
import { until } from './until.ts';

const BIN = new URL('../../cli/bin.mjs', import.meta.url).pathname;
const GATEWAY = '169.254.1.1';
const GATEWAY6 = 'fe80::1';

export interface TestPod {
  readonly name: string;
  readonly uid: string;
  readonly ip: string;
  readonly ipv6: string;
  readonly cgroup: string;
  readonly namespace: string;
  readonly process: ChildProcess;
}

/** A command that runs to its end, with what it said. */
export class NodeCommand {
  output = '';
  /** Its exit code. */
  readonly ended: Promise<number | null>;

  constructor(command: string, args: string[]) {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk: Buffer) => (this.output += chunk));
    child.stderr.on('data', (chunk: Buffer) => (this.output += chunk));
    this.ended = new Promise((resolve) => child.once('close', (code) => resolve(code)));
  }
}

let made = 0;

export class TestNode {
  readonly name = 'test-node';
  readonly cluster = 'test';
  readonly id = `wgt${process.pid % 100_000}x${made++}`;
  readonly folder = mkdtempSync(join(tmpdir(), 'waggle-agent-'));
  readonly stateDirectory = join(this.folder, 'state');
  readonly run = new RunDirectory(join(this.folder, 'run'));
  readonly cgroupRoot: string;
  readonly pods = new Map<string, TestPod>();
  readonly flows = createClient(FlowService, `unix:${this.run.socket}`);
  readonly agentCalls = createClient(AgentService, `unix:${this.run.socket}`);
  #agent: ChildProcess | undefined;
  #agentLog = '';
  #nextHost = 1;

  constructor() {
    const cgroup2 = findCgroup2();
    if (cgroup2 === undefined) throw new Error('no cgroup v2 mount on this machine');
    this.cgroupRoot = join(cgroup2, this.id);
    mkdirSync(this.cgroupRoot);
    mkdirSync(this.stateDirectory, { recursive: true });
    ip('netns', 'add', this.id);
    ip('-n', this.id, 'link', 'set', 'lo', 'up');
    inside(this.id, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    this.writeObject('Namespace', '_cluster', 'shop', { metadata: { name: 'shop', labels: { team: 'bees' } } });
    this.writeObject('Node', '_cluster', this.name, {
      metadata: { name: this.name },
      spec: { podCIDRs: ['10.77.0.0/16'] },
      status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] },
    });
  }

  get agentLog(): string {
    return this.#agentLog;
  }

  /** Starts the agent and resolves when it answers. */
  async startAgent(...flags: string[]): Promise<void> {
    const args = [
      'agent',
      '--node-name',
      this.name,
      '--cluster-name',
      this.cluster,
      '--state-dir',
      this.stateDirectory,
    ];
    args.push('--run-dir', this.run.path, '--listen', '127.0.0.1:4244', '--cgroup-root', this.cgroupRoot, ...flags);
    const child = spawn('nsenter', [`--net=/run/netns/${this.id}`, process.execPath, BIN, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, WAGGLE_LOG_LEVEL: 'debug' },
    });
    this.#agent = child;
    child.stderr!.on('data', (chunk: Buffer) => (this.#agentLog += chunk));
    await until('the agent answers', async () => {
      if (child.exitCode !== null) throw new Error(`the agent ended with ${child.exitCode}: ${this.#agentLog}`);
      return this.flows.status({}, { deadlineMs: 1_000 }).catch(() => undefined);
    });
  }

  /** Ends the agent and resolves with its exit code or signal. */
  async endAgent(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals> {
    const child = this.#agent!;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? child.signalCode!;
    const ended = new Promise<number | NodeJS.Signals>((resolve) => {
      child.once('exit', (code, by) => resolve(code ?? by!));
    });
    child.kill(signal);
    return ended;
  }

  /** A running pod: process first, then the cluster state, as a kubelet does it. */
  addPod(name: string, labels: Record<string, string> = { app: name }): TestPod {
    const uid = randomUUID();
    const pod = this.addSandbox(name, uid);
    this.writePod(pod, labels);
    return pod;
  }

  /** A pod's namespaces, interface, cgroup and process, of which the cluster state knows nothing yet. */
  addSandbox(name: string, uid: string): TestPod {
    const host = this.#nextHost++;
    const address = `10.77.0.${host}`;
    const ipv6 = `fd77::${host}`;
    const netns = `${this.id}p${host}`;
    const veth = `wgv${host}`;
    ip('netns', 'add', netns);
    ip('-n', netns, 'link', 'set', 'lo', 'up');
    ip('-n', this.id, 'link', 'add', veth, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns);
    ip('-n', this.id, 'addr', 'add', `${GATEWAY}/32`, 'dev', veth);
    ip('-n', this.id, 'link', 'set', veth, 'up');
    ip('-n', netns, 'addr', 'add', `${address}/32`, 'dev', 'eth0');
    ip('-n', netns, 'link', 'set', 'eth0', 'up');
    ip('-n', netns, 'route', 'add', GATEWAY, 'dev', 'eth0');
    ip('-n', netns, 'route', 'add', 'default', 'via', GATEWAY, 'dev', 'eth0');
    ip('-n', this.id, 'route', 'add', `${address}/32`, 'dev', veth);
    ip('-n', this.id, 'addr', 'add', `${GATEWAY6}/64`, 'dev', veth, 'nodad');
    ip('-n', netns, 'addr', 'add', `${ipv6}/128`, 'dev', 'eth0', 'nodad');
    ip('-n', netns, 'route', 'add', 'default', 'via', GATEWAY6, 'dev', 'eth0');
    ip('-n', this.id, 'route', 'add', `${ipv6}/128`, 'dev', veth);
    // Both of the kubelet's forms, in turn.
    const cgroup = join(
      this.cgroupRoot,
      host % 2 === 0
        ? `kubepods/besteffort/pod${uid}`
        : `kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${uid.replaceAll('-', '_')}.slice`,
    );
    mkdirSync(cgroup, { recursive: true });
    const child = spawn('nsenter', [`--net=/run/netns/${netns}`, 'sleep', 'infinity'], { stdio: 'ignore' });
    writeFileSync(join(cgroup, 'cgroup.procs'), String(child.pid));
    const pod = { name, uid, ip: address, ipv6, cgroup, namespace: netns, process: child };
    this.pods.set(name, pod);
    return pod;
  }

  writePod(
    pod: Pick<TestPod, 'name' | 'uid' | 'ip'> & { ipv6?: string },
    labels: Record<string, string>,
    more: { nodeName?: string; phase?: string } = {},
  ): void {
    this.writeObject('Pod', 'shop', pod.name, {
      metadata: {
        name: pod.name,
        namespace: 'shop',
        uid: pod.uid,
        labels: { ...labels, 'pod-template-hash': '5d4f' },
        ownerReferences: [{ kind: 'ReplicaSet', name: `${labels.app ?? pod.name}-5d4f`, controller: true }],
      },
      spec: { nodeName: more.nodeName ?? this.name, containers: [] },
      status: {
        phase: more.phase ?? 'Running',
        podIPs: [{ ip: pod.ip }, ...(pod.ipv6 === undefined ? [] : [{ ip: pod.ipv6 }])],
      },
    });
  }

  writeObject(kind: string, namespace: string, name: string, content: object): void {
    const folder = join(this.stateDirectory, kind, namespace);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `.${name}`), JSON.stringify({ kind, ...content }));
    renameSync(join(folder, `.${name}`), join(folder, `${name}.yaml`));
  }

  removeObject(kind: string, namespace: string, name: string): void {
    rmSync(join(this.stateDirectory, kind, namespace, `${name}.yaml`), { force: true });
  }

  async removePod(name: string): Promise<void> {
    const pod = this.pods.get(name)!;
    this.pods.delete(name);
    this.removeObject('Pod', 'shop', name);
    await this.#removeSandbox(pod);
  }

  /** Ids of the eBPF links the agent has pinned to interfaces. */
  pinnedLinks(): number[] {
    const folder = join(this.run.pins, 'links');
    const names = readdirSync(folder).filter((name) => !name.startsWith('service-'));
    return names.map((name) => (bpftool('link', 'show', 'pinned', join(folder, name)) as { id: number }).id);
  }

  /** Runs JavaScript in the node's own network namespace; resolves with its output. */
  async runOnNode(code: string): Promise<string> {
    const command = new NodeCommand('nsenter', [`--net=/run/netns/${this.id}`, process.execPath, '-e', code]);
    await command.ended;
    return command.output;
  }

  /** Starts `waggle …` on the node. */
  waggle(...args: string[]): NodeCommand {
    return new NodeCommand('nsenter', [`--net=/run/netns/${this.id}`, process.execPath, BIN, ...args]);
  }

  /** Starts `waggle …` on the node as another user. */
  waggleAs(user: string, ...args: string[]): NodeCommand {
    const become = ['setpriv', `--reuid=${user}`, '--clear-groups', '--inh-caps=-all'];
    return new NodeCommand('nsenter', [`--net=/run/netns/${this.id}`, ...become, process.execPath, BIN, ...args]);
  }

  /** Runs JavaScript in a pod's network namespace; resolves with its output, rejects when it fails. */
  runIn(pod: TestPod, code: string): Promise<string> {
    const child = spawn('nsenter', [`--net=/run/netns/${pod.namespace}`, process.execPath, '-e', code]);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk));
    return new Promise((resolve, reject) => {
      // Not when it exits: the last of its output may come after that.
      child.once('close', (exit) => (exit === 0 ? resolve(output) : reject(new Error(`exit ${exit}: ${output}`))));
    });
  }

  /** An HTTP server in a pod that answers every request with 1,000 bytes; killed with the pod. */
  async serve(pod: TestPod, port: number): Promise<void> {
    const code = `require('http').createServer((q,s)=>s.end('x'.repeat(1000))).listen(${port},()=>console.log('ready'))`;
    const child = spawn('nsenter', [`--net=/run/netns/${pod.namespace}`, process.execPath, '-e', code]);
    writeFileSync(join(pod.cgroup, 'cgroup.procs'), String(child.pid));
    await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  }

  /** Requests, each over a connection of its own, one after the other. */
  async request(from: TestPod, to: TestPod, port: number, count = 1): Promise<void> {
    const code = `(async()=>{const h=require('http');for(let i=0;i<${count};i++)await new Promise((r,j)=>
      h.get({host:'${to.ip}',port:${port},agent:false},s=>s.resume().on('end',r)).on('error',j))})()`;
    await this.runIn(from, code);
  }

  async stop(): Promise<void> {
    if (this.#agent !== undefined) await this.endAgent('SIGKILL');
    this.flows.close();
    this.agentCalls.close();
    for (const pod of this.pods.values()) await this.#removeSandbox(pod);
    for (const name of readdirSync(this.folder))
      if (name.startsWith('run')) new RunDirectory(join(this.folder, name)).clean();
    ip('netns', 'del', this.id);
    removeCgroup(this.cgroupRoot);
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #removeSandbox(pod: TestPod): Promise<void> {
    await until('the processes of the pod end', () => {
      for (const pid of readFileSync(join(pod.cgroup, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean)) {
        try {
          process.kill(Number(pid), 'SIGKILL');
        } catch {
          // It ended by itself.
        }
      }
      try {
        rmdirSync(pod.cgroup);
        return true;
      } catch {
        return undefined;
      }
    });
    ip('netns', 'del', pod.namespace);
  }
}

/** Whether this process may make namespaces and load eBPF: specs that need it say why they do not run. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function removeCgroup(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(directory, entry.name));
  }
  rmdirSync(directory);
}

/** Ids of all eBPF links of the machine. */
export function allLinks(): number[] {
  return (bpftool('link', 'show') as { id: number }[]).map(({ id }) => id);
}

function bpftool(...args: string[]): unknown {
  return JSON.parse(execFileSync('bpftool', ['-j', ...args], { encoding: 'utf8', stdio: 'pipe' }));
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function inside(netns: string, command: string, ...args: string[]): string {
  return execFileSync('nsenter', [`--net=/run/netns/${netns}`, command, ...args], { encoding: 'utf8', stdio: 'pipe' });
}
