import { describe, expect, it } from 'vitest';
import { isLabelIdentity } from '#core/identity/identity-number.ts';
import type { ClusterObject, ClusterObjects, Kind } from './objects.ts';
import { type ClusterObjectsView, PodDescriber, type PodDescription } from './pod-description.ts';
import { readObject } from './read-object.ts';

function cluster(
  ...documents: { kind: Kind; [key: string]: unknown }[]
): ClusterObjectsView & { objects: ClusterObject[] } {
  const objects = documents.map((document) => readObject(document.kind, document));
  return {
    objects,
    list: <K extends Kind>(kind: K) => objects.filter((object) => object.kind === kind) as ClusterObjects[K][],
    get: <K extends Kind>(kind: K, namespace: string, name: string) =>
      objects.find(
        ({ kind: k, metadata }) =>
          k === kind && metadata.name === name && (kind === 'Namespace' || metadata.namespace === namespace),
      ) as ClusterObjects[K] | undefined,
  };
}

const pod = (name: string, more: { metadata?: object; spec?: object; status?: object } = {}) => ({
  kind: 'Pod' as const,
  metadata: { name, namespace: 'shop', uid: `uid-${name}`, labels: { app: 'web' }, ...more.metadata },
  spec: { nodeName: 'n1', containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 80 }] }], ...more.spec },
  status: { phase: 'Running', podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }], ...more.status },
});
const namespace = (labels: object) => ({ kind: 'Namespace' as const, metadata: { name: 'shop', labels } });

describe('pod descriptions', () => {
  it('say what flows show', () => {
    const [description] = new PodDescriber('lab').describe(
      cluster(
        namespace({ team: 'bees' }),
        {
          kind: 'ReplicaSet',
          metadata: {
            name: 'web-1',
            namespace: 'shop',
            ownerReferences: [{ kind: 'Deployment', name: 'web', controller: true }],
          },
        },
        pod('web-1-x', { metadata: { ownerReferences: [{ kind: 'ReplicaSet', name: 'web-1', controller: true }] } }),
      ),
    );
    expect(description).toMatchObject({
      uid: 'uid-web-1-x',
      cgroupUid: 'uid-web-1-x',
      namespace: 'shop',
      name: 'web-1-x',
      node: 'n1',
      finished: false,
      addresses: ['10.0.0.1', 'fd00::1'],
      workload: { kind: 'Deployment', name: 'web' },
    });
    expect(description.labels).toContain('k8s:app=web');
    expect(description.labels).toContain('k8s:io.cilium.k8s.namespace.labels.team=bees');
    expect(isLabelIdentity(description.identity)).toBe(true);
  });

  it('give pods of one label set one identity, and others another', () => {
    const identities = (...documents: Parameters<typeof cluster>) =>
      new PodDescriber('lab').describe(cluster(...documents)).map(({ identity }) => identity);
    const [a, b, labelled, account, port] = identities(
      pod('a'),
      pod('b', { spec: { nodeName: 'n2' } }),
      pod('c', { metadata: { labels: { app: 'db' } } }),
      pod('d', { spec: { serviceAccountName: 'robot' } }),
      pod('e', { spec: { containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 81 }] }] } }),
    );
    expect(b).toBe(a);
    expect(new Set([a, labelled, account, port]).size).toBe(4);
    expect(identities(namespace({ team: 'bees' }), pod('a'))[0]).not.toBe(a);
  });

  it('leave out of the identity what a roll-out or a controller marks its pods with', () => {
    const marked = { app: 'web', 'pod-template-hash': '5d4f', 'statefulset.kubernetes.io/pod-name': 'b' };
    const [plain, hashed] = new PodDescriber('lab').describe(
      cluster(pod('a'), pod('b', { metadata: { labels: marked } })),
    ) as [PodDescription, PodDescription];
    expect(hashed.identity).toBe(plain.identity);
    expect(hashed.labels).toEqual(plain.labels);
    expect(hashed.labelSet.podLabels).toEqual({ app: 'web' });
  });

  it('see a change of the namespace’s labels or the owner although the pod is the same', () => {
    const describer = new PodDescriber('lab');
    const state = cluster(
      namespace({}),
      pod('a', { metadata: { ownerReferences: [{ kind: 'ReplicaSet', name: 'web-1', controller: true }] } }),
    );
    const [before] = describer.describe(state);
    expect(before.workload).toEqual({ kind: 'ReplicaSet', name: 'web-1' });
    state.objects[0] = readObject('Namespace', namespace({ team: 'bees' }));
    state.objects.push(
      readObject('ReplicaSet', {
        kind: 'ReplicaSet',
        metadata: {
          name: 'web-1',
          namespace: 'shop',
          ownerReferences: [{ kind: 'Deployment', name: 'web', controller: true }],
        },
      }),
    );
    const [after] = describer.describe(state);
    expect(after.identity).not.toBe(before.identity);
    expect(after.workload).toEqual({ kind: 'Deployment', name: 'web' });
    expect(describer.describe(state)).toEqual([after]);
  });

  it('leave out hostNetwork pods and those without a node', () => {
    const describe = (spec: object) => new PodDescriber('lab').describe(cluster(pod('a', { spec })));
    expect(describe({ hostNetwork: true })).toEqual([]);
    expect(describe({ nodeName: '' })).toEqual([]);
  });

  it('know a static pod by its manifest’s hash, and what is over', () => {
    const [description] = new PodDescriber('lab').describe(
      cluster(
        pod('etcd-n1', {
          metadata: { annotations: { 'kubernetes.io/config.hash': 'd3b07384d113edec49eaa6238ad5ff00' } },
          status: { phase: 'Failed', podIPs: [{ ip: 'not an address' }] },
        }),
      ),
    );
    expect(description.cgroupUid).toBe('d3b07384d113edec49eaa6238ad5ff00');
    expect(description.finished).toBe(true);
    expect(description.addresses).toEqual([]);
  });
});
