import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { PodLink } from '../network/pod-link.ts';
import { timestamp } from '../store/object-store.ts';
import type { Pod, PodStatus } from '../store/objects.ts';
import { killCgroup, removeCgroup } from './cgroup.ts';
import { containerCgroup, podCgroup, qosClass } from './cgroup-path.ts';
import { Container } from './container.ts';
import { launch } from './launch.ts';
import type { NodeContext } from './node-context.ts';
import { podConditions, podPhase } from './pod-status.ts';
import { RestartBackoff } from './restart-backoff.ts';
import { CONTAINER_PATH, tool } from './tool.ts';

/** Pause before a failed step of a pod's setting up is tried again, in milliseconds. */
const RETRY_MS = 200;
const DEFAULT_GRACE_S = 2;
/** Longest a pod may take to end after it was asked to, in seconds: a lab is taken down often. */
const MAX_GRACE_S = 10;

/** Carries one pod through its life on a node: network and sandbox, containers and their restarts, the end. */
export class PodWorker {
  readonly #node: NodeContext;
  readonly #pod: Pod;
  readonly #cgroup: string;
  readonly #stop = new AbortController();
  readonly #setUp: Promise<void>;
  #link: PodLink | undefined;
  #containers: Container[] = [];
  #termination: Promise<void> | undefined;
  #finished = false;

  constructor(node: NodeContext, pod: Pod) {
    this.#node = node;
    this.#pod = pod;
    this.#cgroup = join(node.cgroup, podCgroup(node.cgroupDriver, qosClass(pod.spec), pod.metadata.uid));
    this.#setUp = this.#run();
  }

  /** The container `exec` means: the named one, or the first. */
  container(name?: string): Container | undefined {
    return name === undefined ? this.#containers[0] : this.#containers.find((container) => container.name === name);
  }

  get netns(): string {
    return this.#link?.netns ?? this.#node.netns;
  }

  /** Ends the pod and removes everything of it from the node. Resolves when nothing is left. */
  terminate(): Promise<void> {
    this.#termination ??= this.#terminate();
    return this.#termination;
  }

  /** Restarts nothing of the pod any more: whoever ends its processes now removes the rest too. */
  letGo(): void {
    this.#stop.abort();
  }

  async #run(): Promise<void> {
    await this.#retrying('CreatePodSandbox', async () => {
      if (!this.#pod.spec.hostNetwork) this.#link ??= await this.#node.network.attach(this.#pod.metadata.uid);
      this.#startSandbox();
    });
    if (this.#stop.signal.aborted) return;
    const place = { netns: this.netns, podCgroup: this.#cgroup };
    this.#containers = this.#pod.spec.containers.map(
      (spec) => new Container(spec, this.#node, place, () => this.#report()),
    );
    this.#report();
    if (!this.#pod.spec.hostNetwork) await this.#awaitEndpoint();
    if (this.#stop.signal.aborted) return;
    Promise.all(this.#containers.map((container) => this.#keepRunning(container)))
      .then(() => this.#finish())
      .catch((error: Error) => this.#complain(error));
  }

  /** Tries a step until it succeeds or the pod is deleted, showing why it has not. */
  async #retrying(step: string, work: () => Promise<void>): Promise<void> {
    for (let pause = RETRY_MS; !this.#stop.signal.aborted; pause = Math.min(5_000, pause * 2)) {
      try {
        await work();
        return;
      } catch (error) {
        this.#report(`${step}: ${(error as Error).message}`);
        await this.#pause(pause);
      }
    }
  }

  async #awaitEndpoint(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const reason = await this.#node.gate.attached(this.#pod.metadata.uid, this.#stop.signal);
      if (reason === undefined || this.#stop.signal.aborted) return;
      for (const container of this.#containers) container.waiting('ContainerCreating', reason);
      await this.#pause(RETRY_MS);
    }
  }

  /** A process that does nothing but hold the pod's namespaces, so that they outlive its containers. */
  #startSandbox(): void {
    const cgroup = join(this.#cgroup, containerCgroup(this.#node.cgroupDriver, randomBytes(32).toString('hex')));
    mkdirSync(cgroup, { recursive: true });
    const command = [tool('sleep'), 'infinity'];
    const sandbox = launch({
      cgroup,
      netns: this.netns,
      command,
      env: { PATH: CONTAINER_PATH },
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    sandbox.on('error', () => {});
    sandbox.on('exit', () => {
      if (this.#finished || this.#stop.signal.aborted) return;
      // Someone killed it. The network stays as it is: its namespace has a name.
      this.#pause(RETRY_MS)
        .then(async () => {
          await removeCgroup(cgroup);
          if (!this.#finished && !this.#stop.signal.aborted) this.#startSandbox();
        })
        .catch((error: Error) => this.#complain(error));
    });
  }

  async #keepRunning(container: Container): Promise<void> {
    const { restartPolicy = 'Always' } = this.#pod.spec;
    const backoff = new RestartBackoff();
    while (!this.#stop.signal.aborted) {
      let exitCode: number;
      try {
        exitCode = await container.run(this.#current() ?? this.#pod);
      } catch (error) {
        container.waiting('RunContainerError', (error as Error).message);
        await this.#pause(1_000);
        continue;
      }
      if (restartPolicy === 'Never' || (restartPolicy === 'OnFailure' && exitCode === 0)) return;
      const pause = backoff.next(container.ranMs);
      if (pause > 0) {
        const message = `back-off ${pause / 1000}s restarting failed container=${container.name}`;
        if (!this.#stop.signal.aborted) container.waiting('CrashLoopBackOff', message);
        await this.#pause(pause);
      }
      container.restarting();
    }
  }

  /** All containers ended for good: the pod stays as an object, its network and processes go. */
  async #finish(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#finished = true;
    await this.#release();
  }

  async #terminate(): Promise<void> {
    this.#stop.abort();
    await this.#setUp;
    const { terminationGracePeriodSeconds = DEFAULT_GRACE_S } = this.#pod.spec;
    const grace = 1000 * Math.min(MAX_GRACE_S, terminationGracePeriodSeconds);
    const deadline = Date.now() + grace;
    for (const container of this.#containers) container.terminate();
    while (Date.now() < deadline && this.#containers.some((container) => container.pid !== undefined)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await this.#release();
  }

  async #release(): Promise<void> {
    killCgroup(this.#cgroup);
    await removeCgroup(this.#cgroup);
    const link = this.#link;
    this.#link = undefined;
    if (link) await this.#node.network.detach(link);
  }

  /** The pod as the store has it now, or undefined once it is gone or another took its name. */
  #current(): Pod | undefined {
    const { namespace, name, uid } = this.#pod.metadata;
    const pod = this.#node.store.get<Pod>('Pod', namespace, name);
    return pod?.metadata.uid === uid ? pod : undefined;
  }

  /** Writes the pod's status to the store, if it differs from what stands there. */
  #report(problem?: string): void {
    const pod = this.#current();
    if (!pod) return;
    const address = this.#pod.spec.hostNetwork ? this.#node.address : this.#link?.address;
    const ips = address ? [{ ip: address.v4 }, { ip: address.v6 }] : undefined;
    const statuses = this.#containers.map((container) => container.status);
    const phase = podPhase(pod.spec.restartPolicy ?? 'Always', statuses);
    const status: PodStatus = {
      ...pod.status,
      phase,
      conditions: podConditions(pod.status.conditions, phase, statuses, problem),
      hostIP: this.#node.address.v4,
      hostIPs: [{ ip: this.#node.address.v4 }, { ip: this.#node.address.v6 }],
      ...(ips ? { podIP: ips[0]!.ip, podIPs: ips } : {}),
      startTime: pod.status.startTime ?? timestamp(),
      qosClass: qosClass(pod.spec),
      ...(statuses.length > 0 ? { containerStatuses: statuses } : {}),
    };
    if (!isDeepStrictEqual(status, pod.status)) this.#node.store.put({ ...pod, status });
  }

  /** What went wrong without anybody waiting for it goes to the supervisor's log. */
  #complain(error: Error): void {
    const { namespace, name } = this.#pod.metadata;
    console.error(`pod ${namespace}/${name}: ${error.message}`);
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#stop;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
