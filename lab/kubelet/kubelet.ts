import type { Pod } from '../store/objects.ts';
import { isPodFinished } from '../store/objects.ts';
import type { NodeContext } from './node-context.ts';
import { PodWorker } from './pod-worker.ts';

/** Runs the pods bound to one node. */
export class Kubelet {
  readonly #node: NodeContext;
  readonly #workers = new Map<string, PodWorker>();
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
    const worker = this.#workers.get(uid);
    if (deletionTimestamp === undefined) {
      if (!worker && !isPodFinished(pod)) this.#workers.set(uid, new PodWorker(this.#node, pod));
    } else {
      void this.#remove(pod, worker);
    }
  }

  async #remove(pod: Pod, worker: PodWorker | undefined): Promise<void> {
    if (worker && !this.#removing.has(worker)) {
      this.#removing.add(worker);
      await worker.terminate().catch((error: Error) => console.error(`pod ${pod.metadata.name}: ${error.message}`));
      this.#workers.delete(pod.metadata.uid);
    } else if (worker) {
      return;
    }
    const { namespace, name } = pod.metadata;
    const current = this.#node.store.get<Pod>('Pod', namespace, name);
    if (current?.metadata.uid === pod.metadata.uid) this.#node.store.remove(current);
  }

  readonly #removing = new Set<PodWorker>();

  /** Lets go of the pods without ending them: the whole lab is about to be removed. */
  stop(): void {
    this.#unsubscribe();
  }
}
