import { setTimeout as sleep } from 'node:timers/promises';
import type { Problem } from '#core/manifest/document.ts';
import type { Cluster } from './cluster.ts';
import type {
  ApplyRequest,
  ApplyResponse,
  DeleteRequest,
  DeleteResponse,
  ExecTarget,
  LogFile,
  ObjectName,
  ScaleRequest,
} from './control-requests.ts';
import { containerLogPath } from './kubelet/container.ts';
import { containerEnv } from './kubelet/environment.ts';
import { kindNamed } from './manifest/kinds.ts';
import { readManifests } from './manifest/read-manifests.ts';
import type { ManifestSource } from './manifest/read-sources.ts';
import type { Manifest } from './manifest/validate.ts';
import { ApplyRefusal, applyManifest } from './store/apply.ts';
import { deleteObject } from './store/delete.ts';
import {
  controllerOf,
  type Deployment,
  isPodFinished,
  isPodReady,
  type KubeObject,
  type Pod,
} from './store/objects.ts';

/** Longest `delete` waits for what it deleted to be gone, in milliseconds. */
const DELETE_DEADLINE_MS = 60_000;

/** A request that cannot be met, with the HTTP status to say so. */
export class VerbError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Applies every sound object; returns when the state folder says so. */
export function apply(cluster: Cluster, { sources, namespace }: ApplyRequest): ApplyResponse {
  const { manifests, problems, ignoredKinds } = readManifests(sources);
  const results: ApplyResponse['results'] = [];
  // Namespaces first, so that files may come in any order.
  const ordered = [...manifests].sort(
    (a, b) => Number(b.kind.kind === 'Namespace') - Number(a.kind.kind === 'Namespace'),
  );
  for (const manifest of ordered) {
    try {
      const { object, outcome } = applyManifest(cluster.store, cluster.serviceAddresses, manifest, namespace);
      results.push({ ...nameOf(object), outcome });
    } catch (error) {
      if (!(error instanceof ApplyRefusal)) throw error;
      const field = error.path.join('.');
      const message = `${manifest.kind.kind} ${manifest.name}: ${field} ${error.message}`;
      problems.push({ ...manifest.locate(error.path), message });
    }
  }
  cluster.state.flush();
  return { results, problems: inReadingOrder(problems, sources), ignoredKinds };
}

/** Problems as somebody mending the files comes upon them, whichever check found them. */
function inReadingOrder(problems: readonly Problem[], sources: readonly ManifestSource[]): Problem[] {
  const files = new Map(sources.map(({ name }, index) => [name, index]));
  const order = ({ file }: Problem): number => files.get(file) ?? 0;
  return problems.toSorted((a, b) => order(a) - order(b) || a.line - b.line || a.column - b.column);
}

/** Deletes objects, and returns when they are gone. */
export async function remove(cluster: Cluster, request: DeleteRequest): Promise<DeleteResponse> {
  const { manifests, problems, ignoredKinds } = readManifests(request.sources ?? []);
  const wanted: ObjectName[] = [
    ...(request.objects ?? []),
    ...manifests.map((manifest) => manifestName(manifest, request)),
  ];
  const results: DeleteResponse['results'] = [];
  const leaving: KubeObject[] = [];
  for (const name of wanted) {
    const object = cluster.store.get(name.kind, name.namespace, name.name);
    results.push({ ...name, outcome: object ? 'deleted' : 'not found' });
    if (!object) continue;
    // What a workload owns goes with it, and `delete` waits for that too.
    leaving.push(object, ...dependents(cluster, object));
    deleteObject(cluster.store, object);
  }
  const deadline = Date.now() + DELETE_DEADLINE_MS;
  const left = (): KubeObject[] => leaving.filter((object) => exists(cluster, object));
  while (left().length > 0) {
    if (Date.now() > deadline) {
      const names = left().map(({ kind, metadata }) => `${kind} ${metadata.name}`);
      throw new VerbError(504, `still being deleted: ${names.join(', ')}`);
    }
    await sleep(10);
  }
  cluster.state.flush();
  return { results, problems: inReadingOrder(problems, request.sources ?? []), ignoredKinds };
}

function manifestName({ kind, name, namespace }: Manifest, request: DeleteRequest): ObjectName {
  return { kind: kind.kind, name, ...(kind.namespaced ? { namespace: namespace ?? request.namespace } : {}) };
}

function dependents(cluster: Cluster, owner: KubeObject): KubeObject[] {
  const owned = ['ReplicaSet', 'Pod', 'EndpointSlice']
    .flatMap((kind) => cluster.store.list(kind))
    .filter((object) => controllerOf(object)?.uid === owner.metadata.uid);
  return owned.flatMap((object) => [object, ...dependents(cluster, object)]);
}

function exists(cluster: Cluster, { kind, metadata }: KubeObject): boolean {
  return cluster.store.get(kind, metadata.namespace, metadata.name)?.metadata.uid === metadata.uid;
}

export function scale(cluster: Cluster, { kind, namespace, name, replicas }: ScaleRequest): ObjectName {
  if (kind !== 'Deployment') throw new VerbError(400, `${kindNamed(kind).plural} cannot be scaled; Deployments can`);
  if (!Number.isInteger(replicas) || replicas < 0 || replicas > 10_000) {
    throw new VerbError(400, `${replicas} is no number of replicas from 0 to 10000`);
  }
  const deployment = cluster.store.get<Deployment>('Deployment', namespace, name);
  if (!deployment) throw new VerbError(404, `there is no deployment "${name}" in namespace "${namespace}"`);
  const metadata = { ...deployment.metadata, generation: deployment.metadata.generation + 1 };
  if (deployment.spec.replicas !== replicas) {
    cluster.store.put({ ...deployment, metadata, spec: { ...deployment.spec, replicas } });
    cluster.state.flush();
  }
  return nameOf(deployment);
}

export function execTarget(cluster: Cluster, namespace: string, pod: string, container?: string): ExecTarget {
  const found = findPod(cluster, namespace, pod);
  const { name, uid } = found.metadata;
  const spec = findContainer(found, container);
  const worker = cluster.nodes.find((node) => node.name === found.spec.nodeName)?.kubelet.worker(uid);
  const running = worker?.container(spec.name);
  if (running?.pid === undefined) {
    const state = found.status.containerStatuses?.find((status) => status.name === spec.name)?.state;
    const why = state?.waiting?.reason ?? state?.terminated?.reason ?? found.status.phase;
    throw new VerbError(409, `container "${spec.name}" of pod "${name}" does not run: ${why}`);
  }
  return {
    pod: name,
    container: spec.name,
    pid: running.pid,
    cgroup: running.cgroup,
    env: containerEnv(found, spec),
    workingDir: spec.workingDir ?? '/',
  };
}

export function logFile(cluster: Cluster, namespace: string, pod: string, container?: string): LogFile {
  const found = findPod(cluster, namespace, pod);
  const spec = findContainer(found, container);
  return { pod: found.metadata.name, container: spec.name, path: containerLogPath(cluster, found, spec.name) };
}

/** A pod by its name, or one of a workload by the workload's: a ready one if there is. */
function findPod(cluster: Cluster, namespace: string, name: string): Pod {
  const exact = cluster.store.get<Pod>('Pod', namespace, name);
  if (exact) return exact;
  const pods = cluster.store
    .list<Pod>('Pod', namespace)
    .filter((pod) => workloadNames(cluster, pod).includes(name) && !pod.metadata.deletionTimestamp);
  const found = pods.find(isPodReady) ?? pods.find((pod) => !isPodFinished(pod)) ?? pods[0];
  if (!found) throw new VerbError(404, `there is no pod "${name}", nor one of a workload "${name}", in "${namespace}"`);
  return found;
}

function workloadNames(cluster: Cluster, object: KubeObject): string[] {
  const owner = controllerOf(object);
  if (!owner) return [];
  const next = cluster.store.get(owner.kind, object.metadata.namespace, owner.name);
  return [owner.name, ...(next ? workloadNames(cluster, next) : [])];
}

function findContainer(pod: Pod, name: string | undefined): Pod['spec']['containers'][number] {
  const { containers } = pod.spec;
  const found = name === undefined ? containers[0] : containers.find((container) => container.name === name);
  if (found) return found;
  const names = containers.map((container) => container.name).join(', ');
  throw new VerbError(404, `pod "${pod.metadata.name}" has no container "${name}"; it has ${names}`);
}

function nameOf({ kind, metadata }: KubeObject): ObjectName {
  return { kind, name: metadata.name, ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }) };
}
