import { rmSync } from 'node:fs';
import { isPodFinished, type Pod } from '../store/objects.ts';
import { containerLogPath } from './container.ts';
import type { NodeContext } from './node-context.ts';
import { PodWorker } from './pod-worker.ts';

/** Runs the pods bound to one node. */
export class Kubelet {
  readonly #node: NodeContext;
  readonly #workers = new Map<string, PodWorker>();
  readonly #leaving = new Set<string>();
  readonly #unsubscribe: () => void;

  constructor(node: NodeContext) {
    this.#node = node;
    this.#unsubscribe = node.store.subscribe(({ object, removed }) => {
      if (object.kind === 'Pod' && !removed) this.#sync(object as Pod);
    });
  }

  worker(podUid: string): PodWorker | undefined {
    return this.#workers.get(podUid);
  }

  #sync(pod: Pod): void {
    if (pod.spec.nodeName !== this.#node.name) return;
    const { uid, deletionTimestamp } = pod.metadata;
    if (deletionTimestamp !== undefined) void this.#remove(pod);
    else if (!this.#workers.has(uid) && !isPodFinished(pod)) this.#workers.set(uid, new PodWorker(this.#node, pod));
  }

  async #remove(pod: Pod): Promise<void> {
    const { uid, namespace, name } = pod.metadata;
    if (this.#leaving.has(uid)) return;
    this.#leaving.add(uid);
    const terminated = this.#workers.get(uid)?.terminate();
    await terminated?.catch((error: Error) => console.error(`pod ${namespace}/${name}: ${error.message}`));
    this.#workers.delete(uid);
    this.#leaving.delete(uid);
    for (const container of pod.spec.containers) {
      rmSync(containerLogPath(this.#node, pod, container.name), { force: true });
    }
    const current = this.#node.store.get<Pod>('Pod', namespace, name);
    if (current?.metadata.uid === uid) this.#node.store.remove(current);
  }

  /** Lets go of the pods without ending them: the whole lab is about to be removed. */
  stop(): void {
    this.#unsubscribe();
    for (const worker of this.#workers.values()) worker.letGo();
  }
}
