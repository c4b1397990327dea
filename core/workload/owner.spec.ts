import { describe, expect, test } from 'vitest';
import { type OwnedMetadata, podWorkload } from './owner.ts';

const owned = (kind: string, name: string, labels: Record<string, string> = {}): OwnedMetadata => ({
  name: 'p',
  namespace: 'shop',
  labels,
  ownerReferences: [{ kind, name, controller: true }],
});

describe('the workload of a pod', () => {
  test('without owner is the pod', () => {
    expect(podWorkload({ name: 'debug' })).toEqual({ kind: 'Pod', name: 'debug' });
  });

  test('of the kubelet itself (a static pod) is the pod', () => {
    expect(podWorkload(owned('Node', 'node-1'))).toEqual({ kind: 'Pod', name: 'p' });
  });

  test.for(['StatefulSet', 'DaemonSet', 'ReplicationController', 'Rollout'])('of a %s is that', (kind) => {
    expect(podWorkload(owned(kind, 'db'))).toEqual({ kind, name: 'db' });
  });

  test('of a Deployment is found by the template hash', () => {
    const pod = owned('ReplicaSet', 'web-front-7d4b9c', { 'pod-template-hash': '7d4b9c' });
    expect(podWorkload(pod)).toEqual({ kind: 'Deployment', name: 'web-front' });
  });

  test.for<Record<string, string>>([{}, { 'pod-template-hash': 'other' }, { 'pod-template-hash': '' }])(
    'of a ReplicaSet whose name does not carry the hash %o is the ReplicaSet',
    (labels) => {
      expect(podWorkload(owned('ReplicaSet', 'web-7d4b9c', labels))).toEqual({
        kind: 'ReplicaSet',
        name: 'web-7d4b9c',
      });
    },
  );

  test('of a ReplicaSet that says its owner is that owner, whatever the names', () => {
    const pod = owned('ReplicaSet', 'web-7d4b9c', { 'pod-template-hash': '7d4b9c' });
    const lookup = () => ({
      name: 'web-7d4b9c',
      ownerReferences: [{ kind: 'Rollout', name: 'canary', controller: true }],
    });
    expect(podWorkload(pod, lookup)).toEqual({ kind: 'Rollout', name: 'canary' });
  });

  test('of a known ReplicaSet without owner is the ReplicaSet, although its name looks like a Deployment’s', () => {
    const pod = owned('ReplicaSet', 'web-7d4b9c', { 'pod-template-hash': '7d4b9c' });
    expect(podWorkload(pod, (_kind, _namespace, name) => ({ name }))).toEqual({
      kind: 'ReplicaSet',
      name: 'web-7d4b9c',
    });
  });

  test('of a Job is the Job, or the CronJob that names its runs by time', () => {
    expect(podWorkload(owned('Job', 'migrate'))).toEqual({ kind: 'Job', name: 'migrate' });
    expect(podWorkload(owned('Job', 'report-29183401'))).toEqual({ kind: 'CronJob', name: 'report' });
  });

  test('is decided by the controller among several owners', () => {
    const pod = {
      name: 'p',
      ownerReferences: [
        { kind: 'Backup', name: 'b' },
        { kind: 'StatefulSet', name: 'db', controller: true },
      ],
    };
    expect(podWorkload(pod)).toEqual({ kind: 'StatefulSet', name: 'db' });
  });
});
