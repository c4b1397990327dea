import { beforeEach, describe, expect, test } from 'vitest';
import { readManifests } from '../manifest/read-manifests.ts';
import { subnetCandidates } from '../network/subnets.ts';
import { ApplyRefusal, applyManifest } from '../store/apply.ts';
import { deleteObject } from '../store/delete.ts';
import { newMetadata, ObjectStore } from '../store/object-store.ts';
import type { Deployment, EndpointSlice, Job, Node, Pod, PodPhase, ReplicaSet, Service } from '../store/objects.ts';
import { ServiceAddresses } from '../store/service-addresses.ts';
import { ControlLoop } from './control-loop.ts';
import { daemonSetController } from './daemon-set.ts';
import { deploymentController, replicaSetController } from './deployment.ts';
import { endpointSliceController } from './endpoint-slice.ts';
import { garbageCollector } from './garbage.ts';
import { jobController } from './job.ts';
import { scheduler } from './scheduler.ts';

let store: ObjectStore;
let addresses: ServiceAddresses;

beforeEach(() => {
  store = new ObjectStore();
  addresses = new ServiceAddresses(subnetCandidates('spec')[0]!, store);
  new ControlLoop(store, [
    garbageCollector,
    deploymentController,
    replicaSetController,
    daemonSetController,
    jobController,
    scheduler,
    endpointSliceController,
  ]);
  for (const name of ['node1', 'node2']) {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: newMetadata({ name, labels: { name } }) };
    store.put(node as unknown as Node);
  }
  apply('{apiVersion: v1, kind: Namespace, metadata: {name: default}}');
});

function apply(text: string): string[] {
  const { manifests, problems } = readManifests([{ name: 'spec', text }]);
  expect(problems).toEqual([]);
  return manifests.map((manifest) => applyManifest(store, addresses, manifest, 'default').outcome);
}

/** Lets the controllers work until nothing changes any more. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const pods = () => store.list<Pod>('Pod').filter((pod) => !pod.metadata.deletionTimestamp);
let lastAddress = 1;

/** What the kubelet would report. */
function report(pod: Pod, phase: PodPhase, ready = phase === 'Running'): void {
  const current = store.get<Pod>('Pod', pod.metadata.namespace, pod.metadata.name)!;
  const podIP = current.status.podIP ?? `10.0.0.${++lastAddress}`;
  const conditions = [{ type: 'Ready', status: ready ? ('True' as const) : ('False' as const) }];
  store.put({ ...current, status: { phase, conditions, podIP, podIPs: [{ ip: podIP }] } });
}

/** What the kubelet does with pods that are deleted. */
function removeDeleted(): void {
  for (const pod of store.list<Pod>('Pod')) if (pod.metadata.deletionTimestamp) store.remove(pod);
}

const deployment = (image: string, extra = '') => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  ${extra}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: waggle.dev/lab/${image}, ports: [{name: http, containerPort: 80}]}]}
`;

describe('a Deployment', () => {
  test('has pods through a ReplicaSet, spread over the nodes', async () => {
    expect(apply(deployment('sleep', 'replicas: 4'))).toEqual(['created']);
    await settle();
    const [set] = store.list<ReplicaSet>('ReplicaSet');
    const hash = set?.metadata.labels?.['pod-template-hash'];
    expect(set?.metadata.name).toBe(`web-${hash}`);
    expect(set?.metadata.ownerReferences).toMatchObject([{ kind: 'Deployment', name: 'web', controller: true }]);
    expect(pods()).toHaveLength(4);
    for (const pod of pods()) {
      expect(pod.metadata.name).toMatch(new RegExp(`^web-${hash}-[a-z0-9]{5}$`));
      expect(pod.metadata.labels).toEqual({ app: 'web', 'pod-template-hash': hash });
      expect(pod.metadata.ownerReferences).toMatchObject([{ kind: 'ReplicaSet', name: set?.metadata.name }]);
    }
    expect(
      pods()
        .map((pod) => pod.spec.nodeName)
        .sort(),
    ).toEqual(['node1', 'node1', 'node2', 'node2']);
  });

  test('replaces a pod that goes, and drops the least missed when there are too many', async () => {
    apply(deployment('sleep', 'replicas: 3'));
    await settle();
    const [first, second] = pods();
    report(first!, 'Running');
    deleteObject(store, second!);
    await settle();
    expect(pods()).toHaveLength(3);
    expect(apply(deployment('sleep', 'replicas: 1'))).toEqual(['configured']);
    await settle();
    expect(pods().map((pod) => pod.metadata.name)).toEqual([first!.metadata.name]);
  });

  test('keeps its number when a manifest names none, and says unchanged when nothing is', async () => {
    apply(deployment('sleep', 'replicas: 3'));
    await settle();
    expect(apply(deployment('sleep'))).toEqual(['unchanged']);
    const found = store.get<Deployment>('Deployment', 'default', 'web');
    expect(found?.spec.replicas).toBe(3);
    expect(found?.metadata.generation).toBe(1);
  });

  test('rolls over to a new template, with as many ready pods as before all the time', async () => {
    apply(deployment('sleep', 'replicas: 2'));
    await settle();
    for (const pod of pods()) report(pod, 'Running');
    await settle();
    const old = pods().map((pod) => pod.metadata.name);
    apply(deployment('http', 'replicas: 2'));
    await settle();
    const fresh = () => pods().filter((pod) => !old.includes(pod.metadata.name));
    expect(fresh()).toHaveLength(2);
    expect(pods(), 'the old ones stay until new ones are ready').toHaveLength(4);
    report(fresh()[0]!, 'Running');
    await settle();
    expect(pods()).toHaveLength(3);
    report(fresh()[1]!, 'Running');
    await settle();
    removeDeleted();
    await settle();
    expect(pods()).toEqual(fresh());
    expect(store.list('ReplicaSet')).toHaveLength(1);
    expect(store.get<Deployment>('Deployment', 'default', 'web')?.status).toEqual({
      replicas: 2,
      readyReplicas: 2,
      updatedReplicas: 2,
      availableReplicas: 2,
    });
  });

  test('takes everything it owns with it', async () => {
    apply(deployment('sleep', 'replicas: 2'));
    await settle();
    deleteObject(store, store.get('Deployment', 'default', 'web')!);
    await settle();
    expect(store.list('ReplicaSet')).toEqual([]);
    expect(pods()).toEqual([]);
  });

  test('may not change its selector', () => {
    apply(deployment('sleep'));
    expect(() => apply(deployment('sleep').replaceAll('app: web', 'app: other'))).toThrow(ApplyRefusal);
  });
});

test('a DaemonSet has one pod on every node it may run on', async () => {
  const set = (selector: string) =>
    deployment('sleep').replace('Deployment', 'DaemonSet').replace('spec: {containers', `spec: {${selector}containers`);
  apply(set(''));
  await settle();
  expect(
    pods()
      .map((pod) => pod.spec.nodeName)
      .sort(),
  ).toEqual(['node1', 'node2']);
  apply(set('nodeSelector: {name: node2}, '));
  await settle();
  removeDeleted();
  await settle();
  expect(pods().map((pod) => pod.spec.nodeName)).toEqual(['node2']);
});

describe('a Job', () => {
  const job = (fields: string) => `apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  ${fields}
  template: {spec: {restartPolicy: Never, containers: [{name: main, image: waggle.dev/lab/exit}]}}
`;
  const status = () => store.get<Job>('Job', 'default', 'once')!.status;

  test('runs to its completions, a few at a time', async () => {
    apply(job('completions: 3').replace('  template', '  parallelism: 2\n  template'));
    await settle();
    expect(pods()).toHaveLength(2);
    for (const pod of pods()) report(pod, 'Succeeded', false);
    await settle();
    expect(status()).toMatchObject({ succeeded: 2, active: 1 });
    report(pods().find((pod) => pod.status.phase === 'Pending')!, 'Succeeded', false);
    await settle();
    expect(status()).toMatchObject({ succeeded: 3, active: 0, conditions: [{ type: 'Complete', status: 'True' }] });
    expect(pods()).toHaveLength(3);
  });

  test('gives up after its backoff limit', async () => {
    apply(job('backoffLimit: 1'));
    await settle();
    for (let failures = 0; failures < 2; failures++) {
      report(pods().find((pod) => pod.status.phase === 'Pending')!, 'Failed', false);
      await settle();
    }
    expect(status()).toMatchObject({ failed: 2, active: 0, conditions: [{ type: 'Failed' }] });
    expect(pods()).toHaveLength(2);
  });
});

describe('a Service', () => {
  const service = (spec: string) => `apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: ${spec}\n`;
  const slices = () => store.list<EndpointSlice>('EndpointSlice');

  test('has its ready pods as endpoints, with named ports resolved', async () => {
    apply(deployment('sleep', 'replicas: 2'));
    apply(service('{selector: {app: web}, ports: [{name: web, port: 8000, targetPort: http}]}'));
    await settle();
    expect(slices()).toMatchObject([{ endpoints: [] }]);
    const [first, second] = pods();
    report(first!, 'Running');
    report(second!, 'Running', false);
    await settle();
    expect(slices()).toHaveLength(1);
    expect(slices()[0]).toMatchObject({
      addressType: 'IPv4',
      ports: [{ name: 'web', port: 80, protocol: 'TCP' }],
      metadata: { labels: { 'kubernetes.io/service-name': 'web' } },
    });
    const ready = slices()[0]!.endpoints.filter((endpoint) => endpoint.conditions.ready);
    expect(ready.map((endpoint) => endpoint.targetRef?.name)).toEqual([first!.metadata.name]);
    deleteObject(store, store.get('Service', 'default', 'web')!);
    await settle();
    expect(slices()).toEqual([]);
  });

  test('keeps its address when applied again, and no two share one', () => {
    const ports = 'ports: [{port: 80}]';
    apply(service(`{${ports}}`));
    const address = () => store.get<Service>('Service', 'default', 'web')?.spec.clusterIP;
    const first = address();
    expect(apply(service(`{${ports}}`))).toEqual(['unchanged']);
    expect(apply(service(`{${ports}, selector: {a: b}}`))).toEqual(['configured']);
    expect(address()).toBe(first);
    apply(service(`{${ports}}`).replace('name: web', 'name: other'));
    expect(store.get<Service>('Service', 'default', 'other')?.spec.clusterIP).not.toBe(first);
    expect(() => apply(service(`{clusterIP: ${first}, ${ports}}`).replace('web', 'third'))).toThrow(
      /belongs to Service web/,
    );
  });

  test('is headless, or dual-stack, when it says so', () => {
    apply(service('{clusterIP: None, selector: {a: b}}'));
    expect(store.get<Service>('Service', 'default', 'web')?.spec.clusterIPs).toEqual(['None']);
    apply(service('{ipFamilyPolicy: PreferDualStack, ports: [{port: 80}]}').replace('web', 'dual'));
    const dual = store.get<Service>('Service', 'default', 'dual')!.spec;
    expect(dual.ipFamilies).toEqual(['IPv4', 'IPv6']);
    expect(dual.clusterIPs?.[1]).toContain(':');
  });
});

describe('a pod', () => {
  const pod = (labels: string, spec = '') =>
    `{apiVersion: v1, kind: Pod, metadata: {name: one, labels: {${labels}}}, spec: {${spec}containers: [{name: a, image: waggle.dev/lab/sleep}]}}`;

  test('changes its labels in place, and nothing else', async () => {
    apply(pod('a: b'));
    await settle();
    const before = store.get<Pod>('Pod', 'default', 'one')!;
    report(before, 'Running');
    expect(apply(pod('c: d'))).toEqual(['configured']);
    const after = store.get<Pod>('Pod', 'default', 'one')!;
    expect(after.metadata.labels).toEqual({ c: 'd' });
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(after.spec.nodeName).toBe(before.spec.nodeName);
    expect(after.status.phase).toBe('Running');
    expect(() => apply(pod('c: d', 'hostNetwork: true, '))).toThrow(/cannot change while the pod exists/);
  });

  test('waits when no node may take it, and says why', async () => {
    apply(pod('a: b', 'nodeSelector: {name: node9}, '));
    await settle();
    const { spec, status } = store.get<Pod>('Pod', 'default', 'one')!;
    expect(spec.nodeName).toBeUndefined();
    expect(status.conditions).toMatchObject([{ type: 'PodScheduled', status: 'False' }]);
    expect(status.conditions?.[0]?.message).toMatch(/0\/2 nodes/);
  });

  test('needs its namespace', () => {
    expect(() => apply(pod('a: b').replace('name: one', 'name: one, namespace: nowhere'))).toThrow(
      'there is no namespace "nowhere"',
    );
  });
});

test('a deleted namespace goes when everything in it has', async () => {
  apply('{apiVersion: v1, kind: Namespace, metadata: {name: shop}}');
  apply(deployment('sleep').replace('name: web', 'name: web, namespace: shop'));
  await settle();
  deleteObject(store, store.get('Namespace', undefined, 'shop')!);
  await settle();
  expect(store.get('Namespace', undefined, 'shop')?.status).toEqual({ phase: 'Terminating' });
  removeDeleted();
  await settle();
  expect(store.get('Namespace', undefined, 'shop')).toBeUndefined();
  expect(pods()).toEqual([]);
});
