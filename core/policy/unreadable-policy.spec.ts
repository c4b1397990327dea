import { describe, expect, it } from 'vitest';
import { PolicyEngine } from './policy-engine.ts';
import type { PolicyReference } from './reference.ts';
import { specCluster, specPolicies } from './spec-cluster.ts';
import { closedInstead } from './unreadable-policy.ts';

const cluster = specCluster({
  web: { namespace: 'shop', labels: { app: 'web' }, address: '10.0.0.1' },
  db: { namespace: 'shop', labels: { app: 'db' }, address: '10.0.0.2' },
  other: { namespace: 'other', labels: { app: 'web' }, address: '10.0.1.1' },
});
const NETWORK: PolicyReference = { kind: 'NetworkPolicy', namespace: 'shop', name: 'p' };
const CILIUM: PolicyReference = { kind: 'CiliumNetworkPolicy', namespace: 'shop', name: 'p' };
const WIDE: PolicyReference = { kind: 'CiliumClusterwideNetworkPolicy', namespace: '', name: 'p' };

/** Which pods are closed in which direction to a world that nobody's rules are about. */
function closed(value: unknown, reference: PolicyReference): string[] {
  const engine = new PolicyEngine([closedInstead(value, reference)], cluster);
  return ['web', 'db', 'other'].flatMap((name) =>
    (['ingress', 'egress'] as const)
      .filter((way) => !engine.evaluate(way, cluster.identityOf[name]!, cluster.peer('192.0.2.1'), 6, 80).allowed)
      .map((way) => `${name} ${way}`),
  );
}

const SHOP = ['web ingress', 'web egress', 'db ingress', 'db egress'];
const EVERY = [...SHOP, 'other ingress', 'other egress'];
const web = { matchLabels: { app: 'web' } };

describe('in the place of a policy that cannot be used', () => {
  it.each([
    ['not parsed', undefined, SHOP],
    ['no spec', {}, SHOP],
    ['a spec that is no map', { spec: 'x' }, SHOP],
    ['a wrong rule', { spec: { podSelector: web, ingress: 'x' } }, ['web ingress']],
    ['its types', { spec: { podSelector: web, policyTypes: ['Egress'], ingress: 7 } }, ['web egress']],
    ['wrong types', { spec: { podSelector: web, policyTypes: ['Ingres'] } }, ['web ingress', 'web egress']],
    ['an egress rule', { spec: { podSelector: web, egress: [7] } }, ['web ingress', 'web egress']],
    ['a misspelt field', { spec: { podSelector: web, egres: [{}] } }, ['web ingress', 'web egress']],
    ['a wrong selector', { spec: { podSelector: { matchLabels: { app: 7 } } } }, ['web ingress', 'db ingress']],
    ['a misspelt selector', { spec: { podSelector: { matchLabel: {} } } }, ['web ingress', 'db ingress']],
  ])('of Kubernetes: %s', (_, value, expected) => {
    expect(closed(value, NETWORK)).toEqual(expected);
  });

  it.each([
    ['not parsed', undefined, SHOP],
    ['a rule it refuses', { spec: { endpointSelector: web, ingress: [{ fromNodes: [] }] } }, ['web ingress']],
    ['of several specs', { specs: [{ endpointSelector: web, egress: [7] }, 7] }, SHOP],
    ['a misspelt list', { spec: { endpointSelector: web, egresDeny: [{}] } }, ['web ingress', 'web egress']],
    ['a part about nodes', { spec: { nodeSelector: {}, ingress: [{}] } }, []],
  ])('of Cilium: %s', (_, value, expected) => {
    expect(closed(value, CILIUM)).toEqual(expected);
  });

  it('clusterwide, every pod', () => {
    expect(closed(undefined, WIDE)).toEqual(EVERY);
    expect(closed({ spec: { endpointSelector: web, ingress: 1 } }, WIDE)).toEqual(['web ingress', 'other ingress']);
  });

  it('other policies still allow what they allow, but where it has deny rules', () => {
    const fromWeb = specPolicies(`
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: from-web, namespace: shop }
spec: { podSelector: { matchLabels: { app: db } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: web } } }] }] }`);
    const allowed = (spec: object) =>
      new PolicyEngine([...fromWeb, closedInstead({ spec }, CILIUM)], cluster).evaluate(
        'ingress',
        cluster.identityOf.db!,
        cluster.peer('web'),
        6,
        80,
      );
    const endpointSelector = {};
    expect(allowed({ endpointSelector, ingress: [{ fromGroups: [] }] }).allowed).toBe(true);
    const denied = allowed({ endpointSelector, ingressDeny: [{ fromGroups: [] }] });
    expect(denied).toMatchObject({ allowed: false, reason: { kind: 'deny-rule' } });
  });

  it('is only audited where that was asked for', () => {
    const metadata = { annotations: { 'waggle.dev/enforcement': 'audit' } };
    expect(closed({ metadata, spec: 7 }, NETWORK)).toEqual([]);
  });
});

describe('a deny rule about pods', () => {
  it('is about pods that are not known yet, too', () => {
    const policies = specPolicies(`
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: deny, namespace: shop }
spec:
  endpointSelector: { matchLabels: { app: db } }
  ingress: [{ fromEntities: [all] }]
  ingressDeny: [{ fromEndpoints: [{ matchLabels: { app: web } }] }]
  egress: [{ toEntities: [all] }]
  egressDeny: [{ toEndpoints: [{ matchLabels: { "reserved:host": "" } }] }]`);
    const engine = new PolicyEngine(policies, cluster);
    const unmanaged = { ...cluster.peer('10.0.0.77'), identity: 3 };
    const judge = (way: 'ingress' | 'egress', peer: ReturnType<typeof cluster.peer>) =>
      engine.evaluate(way, cluster.identityOf.db!, peer, 6, 80).allowed;
    expect(judge('ingress', unmanaged)).toBe(false);
    expect(judge('ingress', cluster.peer('other'))).toBe(true);
    expect(judge('ingress', cluster.peer('192.0.2.1'))).toBe(true);
    // A rule about a node is not about pods.
    expect(judge('egress', unmanaged)).toBe(true);
  });

  it('takes what they may call their ports for any', () => {
    const policies = specPolicies(`
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: deny, namespace: shop }
spec:
  endpointSelector: {}
  egress: [{ toEntities: [all] }]
  egressDeny:
    - toEndpoints: [{ matchLabels: { app: web } }]
      toPorts: [{ ports: [{ port: http, protocol: TCP }] }]`);
    const engine = new PolicyEngine(policies, cluster);
    const unmanaged = { ...cluster.peer('10.0.0.77'), identity: 3 };
    const judge = (peer: ReturnType<typeof cluster.peer>, protocol: number) =>
      engine.evaluate('egress', cluster.identityOf.db!, peer, protocol, 80).allowed;
    expect(judge(unmanaged, 6)).toBe(false);
    expect(judge(unmanaged, 17)).toBe(true);
    // Known, and it has no port of that name.
    expect(judge(cluster.peer('web'), 6)).toBe(true);
  });
});
