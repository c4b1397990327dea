import { podWorkload } from '#core/workload/owner.ts';
import type { Pod } from '#runtime/cluster/objects.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';

/** How many pods each workload has by the cluster's state, in all and on each node. Kept up with its changes. */
export class ReplicaCounts {
  readonly #source: ClusterSource;
  readonly #counts = new Map<string, number>();
  /** What a pod was counted as: its owner may be known only later. */
  readonly #counted = new Map<string, readonly string[]>();
  readonly stop: () => void;

  constructor(source: ClusterSource) {
    this.#source = source;
    for (const pod of source.list('Pod')) this.#add(pod);
    this.stop = source.onChange((change) => {
      if (change.kind !== 'Pod') return;
      if (change.old !== undefined) this.#remove(change.old);
      if (change.new !== undefined) this.#add(change.new);
    });
  }

  /** Pods of a workload, on that node where one is given; 0 = not known. */
  of(namespace: string, kind: string, name: string, node = ''): number {
    return this.#counts.get(`${namespace}/${kind}/${name}@${node}`) ?? 0;
  }

  #add(pod: Pod): void {
    const { metadata, spec, status } = pod;
    if (status.phase === 'Succeeded' || status.phase === 'Failed') return;
    const workload = podWorkload(metadata, (kind, namespace, name) =>
      kind === 'ReplicaSet' || kind === 'Job' ? this.#source.get(kind, namespace, name)?.metadata : undefined,
    );
    const base = `${metadata.namespace}/${workload.kind}/${workload.name}@`;
    const keys = spec.nodeName === '' ? [base] : [base, base + spec.nodeName];
    for (const key of keys) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    this.#counted.set(podKey(pod), keys);
  }

  #remove(pod: Pod): void {
    for (const key of this.#counted.get(podKey(pod)) ?? []) {
      const left = (this.#counts.get(key) ?? 1) - 1;
      if (left === 0) this.#counts.delete(key);
      else this.#counts.set(key, left);
    }
    this.#counted.delete(podKey(pod));
  }
}

function podKey({ metadata }: Pod): string {
  return `${metadata.namespace}/${metadata.name}`;
}
