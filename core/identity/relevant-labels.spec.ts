import { describe, expect, it } from 'vitest';
import { isRelevantLabel, relevantLabels } from './relevant-labels.ts';

describe('labels that make an identity', () => {
  it.each([
    'app',
    'version',
    'k8s-app',
    'app.kubernetes.io/name',
    'app.kubernetes.io/instance',
    'helm.sh/chart',
    'job-name',
    'batch.kubernetes.io/job-name',
    'topology.kubernetes.io/zone',
    'my-pod-template-hash',
  ])('%s does', (key) => {
    expect(isRelevantLabel(key)).toBe(true);
  });

  it.each([
    'pod-template-hash',
    'pod-template-generation',
    'controller-revision-hash',
    'controller-uid',
    'batch.kubernetes.io/controller-uid',
    'batch.kubernetes.io/job-completion-index',
    'statefulset.kubernetes.io/pod-name',
    'apps.kubernetes.io/pod-index',
    'io.kubernetes.container.name',
    'kubernetes.io/hostname',
    'k8s.io/cluster-service',
    'beta.kubernetes.io/arch',
    'failure-domain.beta.kubernetes.io/zone',
    'annotation.kubectl',
    'etcd_node',
  ])('%s does not', (key) => {
    expect(isRelevantLabel(key)).toBe(false);
  });

  it('are kept with their values, and as they are when none is left out', () => {
    const all = { app: 'web', 'app.kubernetes.io/name': 'web' };
    expect(relevantLabels(all)).toBe(all);
    expect(relevantLabels({ ...all, 'pod-template-hash': '5d4f' })).toEqual(all);
    expect(relevantLabels({})).toEqual({});
  });
});
