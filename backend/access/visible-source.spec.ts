import { expect, test } from 'vitest';
import type { ClusterProblem, ClusterSource } from '#runtime/cluster/source.ts';
import type { Visibility } from './visibility.ts';
import { visibleSource } from './visible-source.ts';

test('tells that the state is old, and nobody’s names with it', () => {
  const problems: ClusterProblem[] = [{ subject: 'Pod secret/vault', message: 'has no uid' }];
  const source = { problems: () => problems } as unknown as ClusterSource;
  const visible = visibleSource(source, { namespaces: new Set(['shop']) } as unknown as Visibility);
  expect(visible.problems()).toEqual([]);
  const reason = 'pods is forbidden: User "system:serviceaccount:secret:waggle" cannot list';
  problems.push({ subject: 'Kubernetes API (Pod)', message: reason, stale: { sinceMs: 2_000, reason } });
  problems.push({ subject: 'Kubernetes API (Node)', message: reason, stale: { sinceMs: 1_000, reason } });
  expect(visible.problems()).toMatchObject([{ subject: 'cluster state', stale: { sinceMs: 1_000 } }]);
  expect(JSON.stringify(visible.problems())).not.toContain('secret');
  problems.push({ subject: 'Kubernetes API (Job)', message: reason, stale: { sinceMs: undefined, reason } });
  expect(visible.problems()[0]?.stale?.sinceMs).toBeUndefined();
});
