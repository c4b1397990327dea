import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { checkPolicies } from './check-policies.ts';
import { PolicyEngine } from './policy-engine.ts';
import { specCluster, specPolicies } from './spec-cluster.ts';

const cluster = specCluster(
  {
    web: { namespace: 'shop', labels: { app: 'web' }, address: '10.1.0.1' },
    db: {
      namespace: 'shop',
      labels: { app: 'db' },
      address: '10.1.0.2',
      ports: [{ name: 'pg', protocol: 'TCP', port: 5432 }],
    },
    dns: { namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' }, address: '10.1.0.3' },
  },
  { services: [{ namespace: 'shop', name: 'db', labels: {}, selector: { app: 'db' }, addresses: [] }] },
);
const NAMES = Object.entries(cluster.identityOf);

function found(...policies: { kind?: string; spec: object; annotations?: object }[]): string[] {
  const text = policies
    .map(({ kind = 'NetworkPolicy', spec, annotations = {} }, number) =>
      stringify({
        apiVersion: kind === 'NetworkPolicy' ? 'networking.k8s.io/v1' : 'cilium.io/v2',
        kind,
        metadata: { name: `p${number}`, namespace: 'shop', annotations },
        spec,
      }),
    )
    .join('---\n');
  const engine = new PolicyEngine(specPolicies(text), cluster);
  const nameOf = (identity: number) => NAMES.find(([, number]) => number === identity)![0];
  return checkPolicies(engine, nameOf).map(({ code, line, message }) => `${line} ${code} ${message}`);
}

const DNS_RULE = {
  to: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } } }],
  ports: [{ port: 53, protocol: 'UDP' }],
};

describe('policies against a cluster', () => {
  test('that fit it have no findings', () => {
    const egress = [DNS_RULE, { to: [{ podSelector: { matchLabels: { app: 'db' } } }], ports: [{ port: 'pg' }] }];
    expect(found({ spec: { podSelector: { matchLabels: { app: 'web' } }, egress } })).toEqual([]);
  });

  test('that select nobody', () => {
    expect(found({ spec: { podSelector: { matchLabels: { app: 'wep' } } } })).toEqual([
      '4 WP201 NetworkPolicy shop/p0: the policy selects no pod',
    ]);
  });

  test('whose egress default deny leaves pods without DNS', () => {
    const closed = { spec: { podSelector: {}, policyTypes: ['Egress'] } };
    expect(found(closed)).toEqual([
      '4 WP202 NetworkPolicy shop/p0: pods it selects cannot ask DNS (db, web): their names will not resolve',
    ]);
    expect(found({ ...closed, annotations: { 'waggle.dev/enforcement': 'audit' } })).toHaveLength(1);
    // Another policy lets them ask.
    expect(found(closed, { spec: { podSelector: {}, policyTypes: ['Egress'], egress: [DNS_RULE] } })).toEqual([]);
  });

  test('whose rules name nobody, no port and no Service', () => {
    const ingress = [{ from: [{ podSelector: { matchLabels: { app: 'ui' } } }], ports: [{ port: 'http' }] }];
    const egress = [
      { toServices: [{ k8sService: { serviceName: 'dbs', namespace: 'shop' } }] },
      { toEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'kube-system' } }] },
      { toServices: [{ k8sService: { serviceName: 'db' } }], toPorts: [{ ports: [{ port: 'pgsql' }] }] },
    ];
    const findings = found(
      { spec: { podSelector: { matchLabels: { app: 'db' } }, ingress } },
      { kind: 'CiliumNetworkPolicy', spec: { endpointSelector: {}, egress } },
    );
    expect(findings.map((text) => text.replace(/^\d+ /, ''))).toEqual([
      'WP203 NetworkPolicy shop/p0: spec.ingress[0]: nobody is app=ui of namespace shop',
      'WP204 NetworkPolicy shop/p0: spec.ingress[0]: none of the pods it is about names a port "http"',
      'WP205 CiliumNetworkPolicy shop/p1: spec.egress[0]: there is no Service shop/dbs',
      'WP204 CiliumNetworkPolicy shop/p1: spec.egress[2]: none of the pods it is about names a port "pgsql"',
    ]);
  });
});
