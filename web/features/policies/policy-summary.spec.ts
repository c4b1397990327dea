import { describe, expect, test } from 'vitest';
import type { PolicedWorkload, PolicyFacts, PolicyReport } from '../../worker/policy-report.ts';
import { countedSince, findingsOf, findingWords, hitsOf, lastHitOf, scopeOf, totalsOf } from './policy-summary.ts';

const rule = (hits: number, last = 0) => ({
  ...{ path: 'spec.ingress[0]', ingress: true, deny: false, summary: 'from anybody', packets: hits, hits, last },
});
const NONE = { packets: 0, last: 0 };
const policy = (namespace: string, name: string, more: Partial<PolicyFacts> = {}): PolicyFacts => ({
  ...{ key: `NetworkPolicy/${namespace}/${name}`, kind: 'NetworkPolicy', namespace, name, enforcement: 'enforced' },
  ...{ closesIngress: true, closesEgress: false, created: 0, rules: [], ingressDenied: NONE, egressDenied: NONE },
  ...{ workloads: [], findings: [], problem: '', ...more },
});
const workload = (namespace: string, name: string, more: Partial<PolicedWorkload> = {}): PolicedWorkload => ({
  ...{ key: `c/${namespace}/Deployment/${name}`, namespace, kind: 'Deployment', name, pods: 1 },
  ...{ ingress: 'open', egress: 'open', policies: [], ...more },
});
const report = (more: Partial<PolicyReport>): PolicyReport => ({
  ...{ policies: [], workloads: [], reaches: [], moreReaches: false, omittedPolicies: 0, omittedWorkloads: 0 },
  ...{ hitsSince: 0, silentNodes: [], auditingNodes: [], problems: [], unavailable: '', ...more },
});

describe('the scope of some namespaces', () => {
  const all = report({
    policies: [policy('shop', 'own'), policy('', 'wide', { workloads: [1] }), policy('other', 'far')],
    workloads: [workload('other', 'spy'), workload('shop', 'web')],
  });
  const names = (namespaces: string[]) => {
    const { policies, workloads } = scopeOf(all, namespaces);
    return [policies.map(({ name }) => name), workloads.map(({ name }) => name)];
  };

  test('has their policies, and those that select their pods', () => {
    expect(names(['shop'])).toEqual([['own', 'wide'], ['web']]);
    expect(names([])).toEqual([
      ['own', 'wide', 'far'],
      ['spy', 'web'],
    ]);
    expect(names(['none'])).toEqual([[], []]);
  });
});

describe('of a policy', () => {
  const used = policy('shop', 'a', {
    rules: [rule(3, 50), rule(0)],
    ingressDenied: { packets: 3, last: 60 },
    egressDenied: { packets: 1, last: 70 },
  });

  test('hits are those of its rules and of its default deny', () => {
    expect([hitsOf(used), lastHitOf(used)]).toEqual([7, 70]);
    expect([hitsOf(policy('shop', 'b')), lastHitOf(policy('shop', 'b'))]).toEqual([0, 0]);
  });

  test('a rule could have been used since it was applied, or since hits are counted', () => {
    const since = (created: number, hitsSince: number) =>
      countedSince(policy('shop', 'a', { created }), report({ hitsSince }));
    expect([since(10, 50), since(90, 50), since(90, 0)]).toEqual([50, 90, 0]);
  });

  test('findings come with the worst first, without the name that stands beside them', () => {
    const findings = [
      { code: 'WP202', error: false, message: 'NetworkPolicy shop/a: pods it selects cannot ask DNS', fix: '' },
      { code: 'WP003', error: true, message: 'NetworkPolicy a: spec.ingres is no field', fix: '' },
    ];
    const found = findingsOf({ policies: [policy('shop', 'a', { findings })], workloads: [] });
    expect(found.map(({ finding, policy: of }) => findingWords(finding, of))).toEqual([
      'spec.ingres is no field',
      'Pods it selects cannot ask DNS',
    ]);
  });
});

test('totals count directions, pods that nothing selects, and rules never used', () => {
  const scope = {
    policies: [policy('shop', 'a', { rules: [rule(3), rule(0)] })],
    workloads: [
      workload('shop', 'web', { ingress: 'protected', policies: [0] }),
      workload('shop', 'db', { ingress: 'audited', egress: 'protected', policies: [0] }),
      workload('other', 'spy', { pods: 3 }),
    ],
  };
  expect(totalsOf(scope)).toEqual({
    ...{ policies: 1, rules: 2, unused: 1, workloads: 3, ingress: 1, egress: 1 },
    ...{ unselected: 1, unselectedPods: 3, findings: 0 },
  });
});
