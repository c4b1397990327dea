import type { PodDescription } from '#runtime/cluster/pod-description.ts';
import type { Link } from '../netlink/link.ts';
import type { PodInterface } from '../pods/pod-interface.ts';

/** What the CNI plugin tells of a pod before its first process runs, and before the cluster's state has its addresses. */
export interface EarlyPod {
  /** Of a static pod the hash of its manifest. */
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly interface: PodInterface;
  readonly addresses: readonly string[];
}

/** Pods as they were announced, for as long as their interface stands. */
export class EarlyPods {
  #pods = new Map<number, EarlyPod>();

  add(pod: EarlyPod): void {
    this.#pods.set(pod.interface.index, pod);
  }

  all(): readonly EarlyPod[] {
    return [...this.#pods.values()];
  }

  keepOnly(links: readonly Link[]): void {
    if (this.#pods.size === 0) return;
    const names = new Map(links.map(({ index, name }) => [index, name]));
    for (const [index, pod] of this.#pods) if (names.get(index) !== pod.interface.name) this.#pods.delete(index);
  }

  interfaceOf(pod: PodDescription): PodInterface | undefined {
    return this.#of(pod)?.interface;
  }

  /** The pod with the addresses it was given, where the cluster's state has none yet. */
  withAddresses(pod: PodDescription): PodDescription {
    if (this.#pods.size === 0 || pod.addresses.length > 0) return pod;
    const early = this.#of(pod);
    return early === undefined ? pod : { ...pod, addresses: early.addresses };
  }

  #of({ uid, cgroupUid, namespace, name }: PodDescription): EarlyPod | undefined {
    let found: EarlyPod | undefined;
    for (const early of this.#pods.values()) {
      // A pod of a StatefulSet has the name of the one before it: where there is a uid, it is what counts.
      const same =
        early.uid === '' ? early.name === name && early.namespace === namespace : [uid, cgroupUid].includes(early.uid);
      // Of several the latest: a sandbox that was made anew.
      if (same) found = early;
    }
    return found;
  }
}
