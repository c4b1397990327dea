import { allocateIdentities, rememberingIdentityNumber } from '#core/identity/identity-number.ts';
import { canonicalText, identityLabels, type LabelSet, type NamedPort } from '#core/identity/label-set.ts';
import { relevantLabels } from '#core/identity/relevant-labels.ts';
import { isAddress } from '#core/ip/address.ts';
import { podWorkload, type Workload } from '#core/workload/owner.ts';
import type { Namespace, Pod } from './objects.ts';
import type { ClusterSource } from './source.ts';

/** On the API server's mirror of a static pod: the hash of its manifest, which its cgroup directory carries in place of the uid. */
const STATIC_POD_HASH_ANNOTATION = 'kubernetes.io/config.hash';

/** What there is to know of one pod that has a network of its own, wherever it runs. */
export interface PodDescription {
  readonly uid: string;
  /** The uid its cgroup directory carries: for static pods the hash of the manifest. */
  readonly cgroupUid: string;
  readonly namespace: string;
  readonly name: string;
  readonly node: string;
  /** Succeeded or Failed: its addresses may already be somebody else's. */
  readonly finished: boolean;
  readonly addresses: readonly string[];
  readonly identity: number;
  readonly workload: Workload;
  /** Identity labels with their source prefix, sorted. */
  readonly labels: readonly string[];
  /** What its identity stands for; the same object as long as nothing of it has changed. */
  readonly labelSet: LabelSet;
}

interface PodPart extends Omit<PodDescription, 'identity'> {
  readonly canonicalText: string;
}

/** Lists kinds it needs; a ClusterSource is one. */
export type ClusterObjectsView = Pick<ClusterSource, 'list' | 'get'>;

/**
 * Describes every pod of a cluster. Pods that share their node's network have no description: they are their node.
 * What follows from unchanged objects is remembered, so that a change in a large cluster costs little.
 */
export class PodDescriber {
  readonly #cluster: string;
  readonly #parts = new WeakMap<Pod, { namespace: Namespace | undefined; workload: Workload; part: PodPart }>();
  /** One object per label set, whichever pod it came from. */
  #labelSets: ReadonlyMap<string, LabelSet> = new Map();
  readonly #number = rememberingIdentityNumber();

  constructor(cluster: string) {
    this.#cluster = cluster;
  }

  describe(objects: ClusterObjectsView): PodDescription[] {
    const parts: PodPart[] = [];
    for (const pod of objects.list('Pod')) {
      if (!pod.spec.hostNetwork && pod.spec.nodeName !== '') parts.push(this.#part(pod, objects));
    }
    const identities = allocateIdentities(
      parts.map((part) => part.canonicalText),
      this.#number,
    );
    const labelSets = new Map<string, LabelSet>();
    for (const { canonicalText, labelSet } of parts) {
      if (!labelSets.has(canonicalText)) labelSets.set(canonicalText, this.#labelSets.get(canonicalText) ?? labelSet);
    }
    this.#labelSets = labelSets;
    return parts.map(({ canonicalText, ...part }) => ({
      ...part,
      identity: identities.get(canonicalText)!,
      labelSet: labelSets.get(canonicalText)!,
    }));
  }

  #part(pod: Pod, objects: ClusterObjectsView): PodPart {
    const namespace = objects.get('Namespace', '', pod.metadata.namespace);
    const workload = podWorkload(pod.metadata, (kind, space, name) =>
      kind === 'ReplicaSet' || kind === 'Job' ? objects.get(kind, space, name)?.metadata : undefined,
    );
    const known = this.#parts.get(pod);
    if (
      known !== undefined &&
      known.namespace === namespace &&
      known.workload.kind === workload.kind &&
      known.workload.name === workload.name
    ) {
      return known.part;
    }
    const labels = labelSetOf(pod, namespace, this.#cluster);
    const part: PodPart = {
      uid: pod.metadata.uid,
      cgroupUid: pod.metadata.annotations[STATIC_POD_HASH_ANNOTATION] ?? pod.metadata.uid,
      namespace: pod.metadata.namespace,
      name: pod.metadata.name,
      node: pod.spec.nodeName,
      finished: pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed',
      addresses: pod.status.podIPs.map(({ ip }) => ip).filter(isAddress),
      workload,
      labels: identityLabels(labels),
      labelSet: labels,
      canonicalText: canonicalText(labels),
    };
    this.#parts.set(pod, { namespace, workload, part });
    return part;
  }
}

function labelSetOf(pod: Pod, namespace: Namespace | undefined, cluster: string): LabelSet {
  const namedPorts: NamedPort[] = [];
  for (const container of pod.spec.containers) {
    for (const { name, protocol, containerPort } of container.ports) {
      if (name !== '') namedPorts.push({ name, protocol, port: containerPort });
    }
  }
  return {
    cluster,
    namespace: pod.metadata.namespace,
    namespaceLabels: namespace?.metadata.labels ?? {},
    podLabels: relevantLabels(pod.metadata.labels),
    serviceAccount: pod.spec.serviceAccountName,
    namedPorts,
  };
}
