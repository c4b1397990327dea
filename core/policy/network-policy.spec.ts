import { describe, expect, it, test } from 'vitest';
import { stringify } from 'yaml';
import type { PolicyDirection } from './endpoint-rules.ts';
import { PolicyEngine } from './policy-engine.ts';
import { reasonText } from './reason.ts';
import { specCluster, specPolicies } from './spec-cluster.ts';

// Semantics of the API's documentation and of Kubernetes' end-to-end tests (test/e2e/network/netpol); docs/policy.md has each point.

const TCP = 6;
const UDP = 17;
const SCTP = 132;

const cluster = specCluster(
  {
    web: { namespace: 'red', labels: { app: 'web' }, address: '10.1.0.1' },
    db: {
      namespace: 'red',
      labels: { app: 'db', tier: 'back' },
      address: '10.1.0.2',
      ports: [
        { name: 'pg', protocol: 'TCP', port: 5432 },
        { name: 'gossip', protocol: 'UDP', port: 7946 },
      ],
    },
    api: {
      namespace: 'blue',
      labels: { app: 'api' },
      address: '10.1.1.1',
      ports: [{ name: 'pg', protocol: 'TCP', port: 6432 }],
    },
    job: { namespace: 'blue', labels: { app: 'web' }, address: '10.1.1.2' },
    plain: { namespace: 'green', labels: {}, address: 'fd00::9' },
  },
  { namespaces: { red: { team: 'red' }, blue: { team: 'blue', env: 'prod' } } },
);
const PODS = ['web', 'db', 'api', 'job', 'plain'];
const OTHERS = ['host', 'remote-node', '192.0.2.1', '192.0.2.200', '2001:db8::1'];
const EVERYBODY = [...PODS, ...OTHERS];

function policy(spec: object, metadata: object = {}): string {
  return stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'it', namespace: 'red', ...metadata },
    spec,
  });
}

function engine(...texts: string[]): PolicyEngine {
  return new PolicyEngine(
    texts.flatMap((text) => specPolicies(text)),
    cluster,
  );
}

/** Who of everybody may talk to (ingress) or be talked to by (egress) the pod. */
function allowed(
  policies: PolicyEngine,
  direction: PolicyDirection,
  pod: string,
  protocol = TCP,
  port = 5432,
  candidates = EVERYBODY,
): string[] {
  return candidates.filter(
    (name) => policies.evaluate(direction, cluster.identityOf[pod]!, cluster.peer(name), protocol, port).allowed,
  );
}

function without(...names: string[]): string[] {
  return EVERYBODY.filter((name) => !names.includes(name));
}

describe('which pods a NetworkPolicy isolates', () => {
  test.each<[string, object, readonly string[]]>([
    ['an empty podSelector: every pod of its namespace', {}, ['web', 'db']],
    ['matchLabels', { matchLabels: { app: 'db' } }, ['db']],
    ['two matchLabels: both hold', { matchLabels: { app: 'db', tier: 'front' } }, []],
    ['In', { matchExpressions: [{ key: 'app', operator: 'In', values: ['db', 'x'] }] }, ['db']],
    ['NotIn', { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['back'] }] }, ['web']],
    [
      'NotIn where the label is absent',
      { matchExpressions: [{ key: 'none', operator: 'NotIn', values: ['x'] }] },
      ['web', 'db'],
    ],
    ['Exists', { matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, ['db']],
    ['DoesNotExist', { matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, ['web']],
    [
      'labels and expressions: both hold',
      { matchLabels: { app: 'db' }, matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] },
      [],
    ],
  ])('%s', (_, podSelector, isolated) => {
    const policies = engine(policy({ podSelector }));
    expect(PODS.filter((pod) => !allowed(policies, 'ingress', pod).includes('job'))).toEqual(isolated);
  });

  it('a podSelector that is left out is an empty one', () => {
    expect(allowed(engine(policy({})), 'ingress', 'db')).toEqual(['host']);
  });
});

describe('policyTypes', () => {
  test.each<[string, object, { ingress: boolean; egress: boolean }]>([
    ['left out, no rules: ingress', {}, { ingress: true, egress: false }],
    ['left out, an egress rule: both', { egress: [{}] }, { ingress: true, egress: true }],
    ['left out, an empty egress list: ingress', { egress: [] }, { ingress: true, egress: false }],
    [
      'left out, ingress rules: ingress',
      { ingress: [{ from: [{ podSelector: {} }] }] },
      { ingress: true, egress: false },
    ],
    ['an empty list is one left out', { policyTypes: [] }, { ingress: true, egress: false }],
    ['Egress alone', { policyTypes: ['Egress'] }, { ingress: false, egress: true }],
    [
      'Ingress alone, though there is an egress rule',
      { policyTypes: ['Ingress'], egress: [{ to: [{ podSelector: {} }] }] },
      { ingress: true, egress: false },
    ],
    ['both', { policyTypes: ['Ingress', 'Egress'] }, { ingress: true, egress: true }],
  ])('%s', (_, spec, closed) => {
    const policies = engine(policy({ podSelector: { matchLabels: { app: 'db' } }, ...spec }));
    const index = policies.index.indexOf(cluster.identityOf.db!)!;
    for (const direction of ['ingress', 'egress'] as const) {
      const isClosed = policies.endpoint(direction, index).enforced.fallback.kind === 'default-deny';
      expect(isClosed, direction).toBe(closed[direction]);
    }
  });
});

describe.each(['ingress', 'egress'] as const)('peers of %s rules', (direction) => {
  const field = direction === 'ingress' ? 'from' : 'to';
  test.each<[string, readonly object[] | undefined, readonly string[]]>([
    ['left out: everybody', undefined, EVERYBODY],
    ['an empty list: everybody', [], EVERYBODY],
    ['an empty podSelector: pods of the own namespace', [{ podSelector: {} }], ['web', 'db', 'host']],
    ['podSelector: never of another namespace', [{ podSelector: { matchLabels: { app: 'web' } } }], ['web', 'host']],
    ['an empty namespaceSelector: pods of all namespaces', [{ namespaceSelector: {} }], [...PODS, 'host']],
    ['namespaceSelector', [{ namespaceSelector: { matchLabels: { team: 'blue' } } }], ['api', 'job', 'host']],
    [
      'namespaceSelector by the name label',
      [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'green' } } }],
      ['plain', 'host'],
    ],
    [
      'namespaceSelector with expressions',
      [{ namespaceSelector: { matchExpressions: [{ key: 'env', operator: 'DoesNotExist' }] } }],
      ['web', 'db', 'plain', 'host'],
    ],
    [
      'both selectors in one peer: both hold',
      [{ namespaceSelector: { matchLabels: { team: 'blue' } }, podSelector: { matchLabels: { app: 'web' } } }],
      ['job', 'host'],
    ],
    [
      'in two peers: either holds',
      [{ namespaceSelector: { matchLabels: { team: 'blue' } } }, { podSelector: { matchLabels: { app: 'web' } } }],
      ['web', 'api', 'job', 'host'],
    ],
    ['both selectors empty: every pod', [{ namespaceSelector: {}, podSelector: {} }], [...PODS, 'host']],
    ['ipBlock', [{ ipBlock: { cidr: '192.0.2.0/24' } }], ['host', '192.0.2.1', '192.0.2.200']],
    ['ipBlock with except', [{ ipBlock: { cidr: '192.0.2.0/24', except: ['192.0.2.128/25'] } }], ['host', '192.0.2.1']],
    [
      'what one ipBlock excepts, another may allow',
      [{ ipBlock: { cidr: '192.0.2.0/24', except: ['192.0.2.128/25'] } }, { ipBlock: { cidr: '192.0.2.200/32' } }],
      ['host', '192.0.2.1', '192.0.2.200'],
    ],
    ['ipBlock also matches addresses of pods', [{ ipBlock: { cidr: '10.1.1.0/24' } }], ['api', 'job', 'host']],
    [
      'ipBlock of everything IPv4: pods and nodes too, and no IPv6',
      [{ ipBlock: { cidr: '0.0.0.0/0' } }],
      without('plain', '2001:db8::1'),
    ],
    ['ipBlock of IPv6', [{ ipBlock: { cidr: '::/0', except: ['fd00::/8'] } }], ['host', '2001:db8::1']],
    ['ipBlock of a node', [{ ipBlock: { cidr: '172.20.0.2/32' } }], ['host', 'remote-node']],
  ])('%s', (_, peers, expected) => {
    const rule = peers === undefined ? {} : { [field]: peers };
    const types = { policyTypes: [direction === 'ingress' ? 'Ingress' : 'Egress'] };
    const policies = engine(policy({ podSelector: { matchLabels: { app: 'db' } }, ...types, [direction]: [rule] }));
    expect(allowed(policies, direction, 'db').sort()).toEqual([...expected].sort());
  });
});

describe('ports', () => {
  const on = (ports: readonly object[] | undefined, direction: PolicyDirection = 'ingress') =>
    engine(
      policy({
        podSelector: { matchLabels: { app: 'db' } },
        policyTypes: ['Ingress', 'Egress'],
        [direction]: [ports === undefined ? {} : { ports }],
      }),
    );
  test.each<[string, readonly object[] | undefined, readonly [number, number, boolean][]]>([
    [
      'left out: every port and protocol',
      undefined,
      [
        [TCP, 1, true],
        [UDP, 53, true],
        [SCTP, 9, true],
        [1, 8, true],
        [47, 0, true],
      ],
    ],
    [
      'an empty list: the same',
      [],
      [
        [TCP, 1, true],
        [1, 8, true],
      ],
    ],
    [
      'a number: TCP',
      [{ port: 80 }],
      [
        [TCP, 80, true],
        [UDP, 80, false],
        [TCP, 81, false],
        [1, 8, false],
      ],
    ],
    [
      'UDP',
      [{ port: 53, protocol: 'UDP' }],
      [
        [UDP, 53, true],
        [TCP, 53, false],
      ],
    ],
    [
      'SCTP',
      [{ port: 3868, protocol: 'SCTP' }],
      [
        [SCTP, 3868, true],
        [TCP, 3868, false],
      ],
    ],
    [
      'a protocol without a port',
      [{ protocol: 'UDP' }],
      [
        [UDP, 1, true],
        [UDP, 65_535, true],
        [TCP, 1, false],
      ],
    ],
    [
      'endPort: both ends included',
      [{ port: 80, endPort: 90 }],
      [
        [TCP, 79, false],
        [TCP, 80, true],
        [TCP, 85, true],
        [TCP, 90, true],
        [TCP, 91, false],
      ],
    ],
    [
      'endPort equal to port',
      [{ port: 80, endPort: 80 }],
      [
        [TCP, 80, true],
        [TCP, 81, false],
      ],
    ],
    [
      'several: either',
      [{ port: 80 }, { port: 53, protocol: 'UDP' }],
      [
        [TCP, 80, true],
        [UDP, 53, true],
        [TCP, 53, false],
      ],
    ],
    [
      'a name: what the pod calls it',
      [{ port: 'pg' }],
      [
        [TCP, 5432, true],
        [TCP, 6432, false],
        [UDP, 5432, false],
      ],
    ],
    [
      'a name of UDP',
      [{ port: 'gossip', protocol: 'UDP' }],
      [
        [UDP, 7946, true],
        [TCP, 7946, false],
      ],
    ],
    [
      'a name of the wrong protocol',
      [{ port: 'gossip' }],
      [
        [TCP, 7946, false],
        [UDP, 7946, false],
      ],
    ],
    [
      'a name the pod has not',
      [{ port: 'http' }],
      [
        [TCP, 80, false],
        [TCP, 5432, false],
      ],
    ],
  ])('%s', (_, ports, cases) => {
    const policies = on(ports);
    for (const [protocol, port, expected] of cases) {
      expect(allowed(policies, 'ingress', 'db', protocol, port).includes('api'), `${protocol}/${port}`).toBe(expected);
    }
  });

  it('by name are each destination’s own, in egress', () => {
    const policies = on([{ port: 'pg' }], 'egress');
    expect(allowed(policies, 'egress', 'db', TCP, 6432)).toEqual(['api', 'host']);
    expect(allowed(policies, 'egress', 'db', TCP, 5432)).toEqual(['db', 'host']);
  });

  it('and peers of one rule must both match; of two rules either', () => {
    const rules = (ingress: object[]) => engine(policy({ podSelector: { matchLabels: { app: 'db' } }, ingress }));
    const together = rules([{ from: [{ podSelector: {} }], ports: [{ port: 80 }] }]);
    expect(allowed(together, 'ingress', 'db', TCP, 80)).toEqual(['web', 'db', 'host']);
    expect(allowed(together, 'ingress', 'db', TCP, 81)).toEqual(['host']);
    const apart = rules([{ from: [{ podSelector: {} }] }, { ports: [{ port: 80 }] }]);
    expect(allowed(apart, 'ingress', 'db', TCP, 80)).toEqual(EVERYBODY);
    expect(allowed(apart, 'ingress', 'db', TCP, 81)).toEqual(['web', 'db', 'host']);
  });
});

describe('several policies', () => {
  const closed = policy({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] }, { name: 'closed' });
  const web = policy(
    {
      podSelector: { matchLabels: { app: 'db' } },
      ingress: [{ from: [{ podSelector: { matchLabels: { app: 'web' } } }] }],
    },
    { name: 'web' },
  );

  it('add up', () => {
    expect(allowed(engine(closed, web), 'ingress', 'db')).toEqual(['web', 'host']);
    expect(allowed(engine(closed, web), 'ingress', 'web')).toEqual(['host']);
  });

  it('leave pods of other namespaces alone', () => {
    expect(allowed(engine(closed, web), 'ingress', 'api')).toEqual(EVERYBODY);
  });

  it('name the rule that allows, and every policy that closes', () => {
    const policies = engine(web, closed);
    const why = (name: string) =>
      reasonText(policies.evaluate('ingress', cluster.identityOf.db!, cluster.peer(name), TCP, 5432).reason);
    expect(why('web')).toBe('allowed by NetworkPolicy red/web spec.ingress[0]');
    expect(why('api')).toBe('no rule allows it; closed by NetworkPolicy red/closed, NetworkPolicy red/web');
    expect(why('host')).toBe('a pod and its own node may always talk');
  });

  it('do not depend on their order', () => {
    expect(allowed(engine(web, closed), 'ingress', 'db')).toEqual(allowed(engine(closed, web), 'ingress', 'db'));
  });

  it('never stand between a pod and its own node, but between it and others', () => {
    const policies = engine(closed);
    expect(allowed(policies, 'egress', 'web')).toEqual(['host']);
    expect(allowed(policies, 'ingress', 'web')).toEqual(['host']);
  });
});
