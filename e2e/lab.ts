import { randomBytes } from 'node:crypto';
import { agentSocket, labLayout, netnsPath, nodeNetns, podLinkName } from '#lab/lab-layout.ts';
import { waggle, waggleOk } from './waggle.ts';

/** A pod as `waggle lab get pods -o json` shows it: what tests look at. */
export interface LabPod {
  metadata: { name: string; namespace: string; uid: string };
  spec: { nodeName: string };
  status: { phase: string; podIPs?: { ip: string }[] };
}

/** A lab of a test's own, by the published command. */
export class Lab {
  readonly name: string;

  private constructor(name: string) {
    this.name = name;
  }

  /** `env` reaches the agents: their settings. Take it down with `down`, also when a test failed. */
  static async up(options: { name?: string; nodes?: number; env?: Record<string, string> } = {}): Promise<Lab> {
    const lab = new Lab(options.name ?? labName());
    await waggleOk(['lab', 'up', '--name', lab.name, '--nodes', `${options.nodes ?? 2}`], { env: options.env });
    return lab;
  }

  async down(): Promise<void> {
    await waggleOk(['lab', 'down', '--name', this.name]);
  }

  async apply(objects: readonly object[]): Promise<void> {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    await waggleOk(['lab', 'apply', '--name', this.name, '-f', '-'], { input });
  }

  async scenario(name: string, stage?: string): Promise<void> {
    await waggleOk(['lab', 'scenario', name, '--name', this.name, ...(stage === undefined ? [] : ['--stage', stage])]);
  }

  async pods(): Promise<LabPod[]> {
    const text = await waggleOk(['lab', 'get', 'pods', '--all-namespaces', '--name', this.name, '-o', 'json']);
    return (JSON.parse(text) as { items: LabPod[] }).items;
  }

  /** Resolves once every pod that is there runs, at least `count` of them. */
  async running(count: number, timeoutMs = 120_000): Promise<LabPod[]> {
    for (const deadline = Date.now() + timeoutMs; ; ) {
      const pods = await this.pods();
      const running = pods.filter((pod) => pod.status.phase === 'Running');
      if (running.length === pods.length && pods.length >= count) return pods;
      if (Date.now() > deadline) {
        const phases = pods.map(({ metadata, status }) => `${metadata.namespace}/${metadata.name} ${status.phase}`);
        throw new Error(`not ${count} pods run after ${timeoutMs} ms: ${phases.join(', ') || 'there are none'}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  async exec(pod: string, command: readonly string[], timeoutMs = 120_000): Promise<string> {
    return await waggleOk(['lab', 'exec', '--name', this.name, pod, '--', ...command], { timeoutMs });
  }

  /** `host:port` or `unix:` address of a node's agent. */
  agent(node: string): string {
    return `unix:${agentSocket(labLayout(this.name), node)}`;
  }

  /** The folder of cluster state that agents and backend read. */
  get stateDir(): string {
    return labLayout(this.name).stateDir;
  }

  nodeNetns(node: string): string {
    return netnsPath(nodeNetns(labLayout(this.name), node));
  }

  /** The node's end of a pod's veth. */
  link(pod: LabPod): string {
    return podLinkName(pod.metadata.uid);
  }
}

/** Unlike any other's on this machine. */
export function labName(): string {
  return `e2e-${randomBytes(4).toString('hex')}`;
}

/** For after a test, whatever state it left. */
export async function takeDown(name: string): Promise<void> {
  await waggle(['lab', 'down', '--name', name]);
}
