import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { type MixCluster, type MixPod, nodeName } from './mix-cluster.ts';

const PARALLEL = 16;
const FIRST_WORKLOADS_WITH_SERVICE = 200;

/**
 * Puts a cluster's objects on an API server as its controllers and kubelets would leave them: nodes, namespaces, a ReplicaSet per
 * workload, pods of two containers that run, and Services with their EndpointSlices for some workloads.
 */
export async function createCluster(client: ApiClient, cluster: MixCluster, progress: (message: string) => void) {
  const create = (path: string, body: object) => client.request('POST', path, { body });
  await inParallel(
    Array.from({ length: cluster.nodes }, (_, node) => nodeName(node)),
    (name) => create('/api/v1/nodes', { metadata: { name, labels: { 'kubernetes.io/hostname': name } } }),
  );
  await inParallel([...new Set(cluster.pods.map(({ namespace }) => namespace))], (name) =>
    create('/api/v1/namespaces', { metadata: { name } }),
  );
  const workloads = new Map<string, MixPod[]>();
  for (const pod of cluster.pods) {
    const key = `${pod.namespace}/${pod.workloadName}`;
    workloads.set(key, [...(workloads.get(key) ?? []), pod]);
  }
  const owners = new Map<string, string>();
  await inParallel([...workloads], async ([key, pods]) => {
    const [pod] = pods as [MixPod];
    const template = { metadata: { labels: labels(pod) }, spec: { containers: CONTAINERS } };
    const { metadata } = (await create(`/apis/apps/v1/namespaces/${pod.namespace}/replicasets`, {
      metadata: {
        name: replicaSetName(pod),
        labels: labels(pod),
        ownerReferences: [owner('Deployment', pod.workloadName)],
      },
      spec: { replicas: pods.length, selector: { matchLabels: labels(pod) }, template },
    })) as { metadata: { uid: string } };
    owners.set(key, metadata.uid);
  });
  await inParallel([...workloads.values()].slice(0, FIRST_WORKLOADS_WITH_SERVICE), (pods) =>
    createService(create, pods),
  );
  let made = 0;
  await inParallel(cluster.pods, async (pod) => {
    const { namespace, name, address } = pod;
    const uid = owners.get(`${namespace}/${pod.workloadName}`)!;
    const path = podsPath(namespace);
    await create(path, {
      metadata: { name, labels: labels(pod), ownerReferences: [owner('ReplicaSet', replicaSetName(pod), uid)] },
      spec: { nodeName: nodeName(pod.node), serviceAccountName: pod.workloadName, containers: CONTAINERS },
    });
    await client.request('PATCH', `${path}/${name}/status`, {
      contentType: 'application/merge-patch+json',
      body: { status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }], containerStatuses: STATUSES } },
    });
    if (++made % 1_000 === 0) progress(`${made} of ${cluster.pods.length} pods are at the API server`);
  });
}

export function podsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/pods`;
}

const CONTAINERS = [
  { name: 'server', image: 'registry.example/server:1.4.2', ports: [{ name: 'http', containerPort: 8080 }] },
  { name: 'sidecar', image: 'registry.example/sidecar:0.9', env: [{ name: 'LEVEL', value: 'info' }] },
];
const STATUSES = CONTAINERS.map(({ name, image }) => ({
  name,
  image,
  imageID: `${image}@sha256:${'0'.repeat(64)}`,
  ready: true,
  restartCount: 0,
  started: true,
  state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
}));

/** As a Deployment's pods have them: those of the chart, and the roll-out's hash. */
function labels({ workloadName, namespace }: MixPod): Record<string, string> {
  return {
    'app.kubernetes.io/name': workloadName,
    'app.kubernetes.io/instance': `${workloadName}-${namespace}`,
    'app.kubernetes.io/version': '1.4.2',
    'pod-template-hash': '5b8c7d9f4',
  };
}

function replicaSetName({ workloadName }: MixPod): string {
  return `${workloadName}-5b8c7d9f4`;
}

function owner(kind: string, name: string, uid = '00000000-0000-4000-8000-000000000000') {
  return { apiVersion: 'apps/v1', kind, name, uid, controller: true };
}

async function createService(create: (path: string, body: object) => Promise<unknown>, pods: readonly MixPod[]) {
  const [{ namespace, workloadName: name, ...first }] = pods as [MixPod];
  const ports = [{ name: 'http', port: 80, targetPort: 8080 }];
  await create(`/api/v1/namespaces/${namespace}/services`, {
    metadata: { name },
    spec: { selector: labels({ namespace, workloadName: name, ...first }), ports },
  });
  await create(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
    metadata: { name: `${name}-x7k2p`, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints: pods.map((pod) => ({
      addresses: [pod.address],
      conditions: { ready: true },
      nodeName: nodeName(pod.node),
      targetRef: { kind: 'Pod', namespace, name: pod.name },
    })),
  });
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  let next = 0;
  const one = async () => {
    while (next < items.length) await work(items[next++]!);
  };
  await Promise.all(Array.from({ length: PARALLEL }, one));
}
