import { expect, test } from 'vitest';
import { WORLD_NAME } from '#core/card/card-name.ts';
import type { PolicedWorkload, PolicyReach } from '../../worker/policy-report.ts';
import { reachesBetween } from './reaches-between.ts';

const WORLD = WORLD_NAME.key;
const workload = (key: string, more: Partial<PolicedWorkload> = {}): PolicedWorkload => ({
  ...{ key, namespace: 'shop', kind: 'Deployment', name: key, pods: 1, policies: [], ingress: 'open', egress: 'open' },
  ...more,
});
const reach = (source: string, destination: string, path: string, anybody = false): PolicyReach => ({
  ...{ source, destination, path, anybody, protocol: 6, firstPort: 80, lastPort: 80 },
  ...{ range: '', audit: false, policy: 'NetworkPolicy/shop/a' },
});
const report = {
  workloads: [workload('web'), workload('db', { ingress: 'protected' }), workload('job', { egress: 'protected' })],
  reaches: [
    reach('web', 'db', 'between'),
    reach(WORLD, 'db', 'to anybody', true),
    reach(WORLD, 'web', 'to the world'),
    reach('job', WORLD, 'from anybody', true),
  ],
};
const paths = (source: string, destination: string) =>
  reachesBetween(report, source, destination).map(({ path }) => path);

test('rules about the two, and what opens one of them to everybody', () => {
  expect(paths('web', 'db')).toEqual(['between', 'to anybody']);
  expect(paths('web@node1', 'db@node2')).toEqual(['between', 'to anybody']);
  expect(paths('db', 'web')).toEqual([]);
});

test('that is opened to everybody does not help whom policies close', () => {
  expect(paths('job', 'db')).toEqual([]);
  expect(paths('job', 'web')).toEqual(['from anybody']);
});

test('the world is reached, and reaches, by its own card', () => {
  expect(paths(WORLD, 'db')).toEqual(['to anybody']);
  expect(paths(WORLD, 'web')).toEqual(['to the world']);
  expect(paths('job', WORLD)).toEqual(['from anybody']);
  expect(paths(WORLD, 'job')).toEqual([]);
});
