import { isDeepStrictEqual } from 'node:util';
import type { Path } from '#core/manifest/document.ts';
import type { Manifest } from '../manifest/validate.ts';
import { newMetadata, type ObjectStore } from './object-store.ts';
import type { Deployment, Job, KubeObject, Namespace, ObjectMeta, Pod, Service } from './objects.ts';
import type { ServiceAddresses } from './service-addresses.ts';

export type ApplyOutcome = 'created' | 'configured' | 'unchanged';

/** Why the API server would turn an object down, and which field is to blame. */
export class ApplyRefusal extends Error {
  readonly path: Path;
  constructor(path: Path, message: string) {
    super(message);
    this.path = path;
  }
}

/**
 * Brings one manifest into the store as the API server would: creates the object, or changes it in place, keeping its
 * uid, status, address and node. Throws ApplyRefusal for what Kubernetes forbids.
 */
export function applyManifest(
  store: ObjectStore,
  addresses: ServiceAddresses,
  manifest: Manifest,
  defaultNamespace: string,
): { object: KubeObject; outcome: ApplyOutcome } {
  const kind = manifest.kind.kind;
  const namespace = manifest.kind.namespaced ? (manifest.namespace ?? defaultNamespace) : undefined;
  if (namespace !== undefined) {
    const found = store.get<Namespace>('Namespace', undefined, namespace);
    if (!found) throw new ApplyRefusal(['metadata', 'namespace'], `there is no namespace "${namespace}"; apply it too`);
    if (found.metadata.deletionTimestamp) {
      throw new ApplyRefusal(
        ['metadata', 'namespace'],
        `namespace "${namespace}" is being deleted; try again when it is gone`,
      );
    }
  }
  const existing = store.get(kind, namespace, manifest.name);
  if (existing?.metadata.deletionTimestamp) {
    throw new ApplyRefusal(['metadata', 'name'], 'is being deleted; try again when it is gone');
  }
  const given = manifest.body.metadata as Partial<ObjectMeta>;
  const wanted = completed(store, addresses, manifest, existing);
  if (!existing) {
    const metadata = newMetadata({ ...given, ...(namespace === undefined ? {} : { namespace }), name: manifest.name });
    return { object: store.put(withMetadata(wanted, metadata)), outcome: 'created' };
  }
  const kept = existing.metadata;
  const object = withMetadata(wanted, {
    ...given,
    ...kept,
    labels: given.labels ?? {},
    annotations: given.annotations ?? {},
  });
  if (kept.labels === undefined && Object.keys(object.metadata.labels ?? {}).length === 0)
    delete object.metadata.labels;
  if (kept.annotations === undefined && Object.keys(object.metadata.annotations ?? {}).length === 0) {
    delete object.metadata.annotations;
  }
  if (isDeepStrictEqual(object, existing)) return { object: existing, outcome: 'unchanged' };
  if (!isDeepStrictEqual(object.spec, existing.spec)) object.metadata.generation += 1;
  return { object: store.put(object), outcome: 'configured' };
}

function withMetadata(object: KubeObject, metadata: ObjectMeta): KubeObject {
  const labels =
    object.kind === 'Namespace'
      ? { ...metadata.labels, 'kubernetes.io/metadata.name': metadata.name }
      : metadata.labels;
  return { ...object, metadata: labels === undefined ? metadata : { ...metadata, labels } };
}

/** The manifest's object with the defaults of its kind and the status it has. */
function completed(
  store: ObjectStore,
  addresses: ServiceAddresses,
  { kind, body }: Manifest,
  existing: KubeObject | undefined,
): KubeObject {
  const object = structuredClone(body) as unknown as KubeObject;
  delete object.status;
  if (existing?.status !== undefined) object.status = existing.status;
  switch (kind.kind) {
    case 'Namespace':
      return { ...object, status: existing?.status ?? { phase: 'Active' } };
    case 'Pod':
      return completedPod(object as Pod, existing as Pod | undefined);
    case 'Deployment':
      return completedDeployment(object as Deployment, existing as Deployment | undefined);
    case 'DaemonSet':
      refuseChange(existing, object, ['spec', 'selector']);
      return object;
    case 'Job':
      return completedJob(object as Job, existing as Job | undefined);
    case 'Service': {
      const service = object as Service;
      const before = existing as Service | undefined;
      const asked = service.spec.clusterIP;
      if (before?.spec.clusterIP && asked && asked !== before.spec.clusterIP) {
        throw new ApplyRefusal(
          ['spec', 'clusterIP'],
          `cannot change from ${before.spec.clusterIP}; delete the Service first`,
        );
      }
      if (asked && asked !== 'None' && !before) refuseTakenAddress(store, asked);
      const spec = addresses.assign(service.spec, before);
      // The lab is its own load-balancer: it gives the address that is asked for.
      const ingress = spec.type === 'LoadBalancer' && spec.loadBalancerIP ? [{ ip: spec.loadBalancerIP }] : [];
      return { ...service, spec, status: { loadBalancer: { ingress } } };
    }
    default:
      return object;
  }
}

function refuseTakenAddress(store: ObjectStore, address: string): void {
  const owner = store.list<Service>('Service').find(({ spec }) => spec.clusterIPs?.includes(address));
  if (owner) throw new ApplyRefusal(['spec', 'clusterIP'], `${address} belongs to Service ${owner.metadata.name}`);
}

function completedPod(pod: Pod, existing: Pod | undefined): Pod {
  const nodeName = pod.spec.nodeName ?? existing?.spec.nodeName;
  const spec = {
    ...pod.spec,
    restartPolicy: pod.spec.restartPolicy ?? 'Always',
    serviceAccountName: pod.spec.serviceAccountName ?? 'default',
    ...(nodeName === undefined ? {} : { nodeName }),
  };
  if (existing && !isDeepStrictEqual(spec, existing.spec)) {
    throw new ApplyRefusal(
      ['spec'],
      'cannot change while the pod exists (labels and annotations can); delete it first',
    );
  }
  return { ...pod, spec, status: existing?.status ?? { phase: 'Pending' } };
}

function completedDeployment(deployment: Deployment, existing: Deployment | undefined): Deployment {
  refuseChange(existing, deployment, ['spec', 'selector']);
  // A manifest without replicas leaves what `scale` set.
  const replicas = deployment.spec.replicas ?? existing?.spec.replicas ?? 1;
  const status = existing?.status ?? { replicas: 0, readyReplicas: 0, updatedReplicas: 0, availableReplicas: 0 };
  return { ...deployment, spec: { ...deployment.spec, replicas }, status };
}

function completedJob(job: Job, existing: Job | undefined): Job {
  refuseChange(existing, job, ['spec', 'template']);
  const spec = { ...job.spec, parallelism: job.spec.parallelism ?? 1, backoffLimit: job.spec.backoffLimit ?? 6 };
  return {
    ...job,
    spec: { ...spec, completions: spec.completions ?? 1 },
    status: existing?.status ?? { active: 0, succeeded: 0, failed: 0 },
  };
}

function refuseChange(existing: KubeObject | undefined, wanted: KubeObject, path: [string, string]): void {
  if (!existing) return;
  const field = (object: KubeObject): unknown => (object.spec as Record<string, unknown>)[path[1]];
  if (isDeepStrictEqual(field(existing), field(wanted))) return;
  throw new ApplyRefusal(path, `cannot change; delete the ${existing.kind} first`);
}
