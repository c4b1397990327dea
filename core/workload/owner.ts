/** A controller's name for what it made, as in `metadata.ownerReferences`. */
export interface OwnerReference {
  readonly kind: string;
  readonly name: string;
  readonly controller?: boolean;
}

/** The part of an object's metadata that says whose it is. */
export interface OwnedMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
}

/** What people deploy and name: the thing a card on the map stands for. */
export interface Workload {
  readonly kind: string;
  readonly name: string;
}

/** Metadata of a ReplicaSet or Job, if it is known. */
export type OwnerLookup = (kind: string, namespace: string, name: string) => OwnedMetadata | undefined;

// A CronJob names its Jobs after the minute they were due, in minutes (8 digits) or, long ago, seconds (10) since 1970.
const CRON_JOB_RUN = /^(.+)-\d{8,10}$/;

/**
 * The workload a pod belongs to. ReplicaSets stand for their Deployment and Jobs for their CronJob: by the owner's own
 * reference where `lookup` knows the owner, else by the names those controllers give. A pod nobody controls is its own workload.
 */
export function podWorkload(pod: OwnedMetadata, lookup?: OwnerLookup): Workload {
  const owner = controllerOf(pod);
  // A static pod's owner is its node, which is no workload.
  if (owner === undefined || owner.kind === 'Node') return { kind: 'Pod', name: pod.name };
  if (owner.kind !== 'ReplicaSet' && owner.kind !== 'Job') return { kind: owner.kind, name: owner.name };

  const known = lookup?.(owner.kind, pod.namespace ?? '', owner.name);
  if (known !== undefined) {
    const above = controllerOf(known);
    return above === undefined ? { kind: owner.kind, name: owner.name } : { kind: above.kind, name: above.name };
  }
  if (owner.kind === 'ReplicaSet') {
    const suffix = `-${pod.labels?.['pod-template-hash'] ?? ''}`;
    if (suffix.length > 1 && owner.name.endsWith(suffix) && owner.name.length > suffix.length) {
      return { kind: 'Deployment', name: owner.name.slice(0, -suffix.length) };
    }
  } else {
    const run = CRON_JOB_RUN.exec(owner.name);
    if (run?.[1] !== undefined) return { kind: 'CronJob', name: run[1] };
  }
  return { kind: owner.kind, name: owner.name };
}

function controllerOf(object: OwnedMetadata): OwnerReference | undefined {
  return object.ownerReferences?.find((owner) => owner.controller) ?? object.ownerReferences?.[0];
}
