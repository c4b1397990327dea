import { describe, expect, it, test } from 'vitest';
import { stringify } from 'yaml';
import type { PolicyDirection } from './endpoint-rules.ts';
import { PolicyEngine } from './policy-engine.ts';
import { dropReasonOf, reasonText } from './reason.ts';
import { specCluster, specPolicies } from './spec-cluster.ts';

// Semantics of Cilium's documentation (https://docs.cilium.io/en/stable/security/policy/); docs/policy.md has each point.

const TCP = 6;
const UDP = 17;
const SCTP = 132;

const cluster = specCluster(
  {
    web: { namespace: 'red', labels: { app: 'web' }, address: '10.1.0.1' },
    db: { namespace: 'red', labels: { app: 'db', 'io.kubernetes.pod.namespace': 'blue' }, address: '10.1.0.2' },
    api: { namespace: 'blue', labels: { app: 'api' }, address: '10.1.1.1', serviceAccount: 'robot' },
    job: {
      namespace: 'blue',
      labels: { app: 'web' },
      address: '10.1.1.2',
      ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    },
  },
  {
    namespaces: { red: { team: 'red' }, blue: { team: 'blue' } },
    services: [
      { namespace: 'blue', name: 'jobs', labels: { tier: 'batch' }, selector: { app: 'web' }, addresses: [] },
      { namespace: 'blue', name: 'bare', labels: { tier: 'out' }, selector: {}, addresses: ['192.0.2.1', '10.1.1.1'] },
      { namespace: 'red', name: 'jobs', labels: { tier: 'batch' }, selector: { app: 'web' }, addresses: [] },
    ],
  },
);
const PODS = ['web', 'db', 'api', 'job'];
const EVERYBODY = [...PODS, 'host', 'remote-node', '192.0.2.1', '198.51.100.7', '2001:db8::1'];

function manifest(body: object, kind = 'CiliumNetworkPolicy', name = 'it'): string {
  const metadata = kind === 'CiliumNetworkPolicy' ? { name, namespace: 'red' } : { name };
  return stringify({ apiVersion: 'cilium.io/v2', kind, metadata, ...body });
}

const DB = { endpointSelector: { matchLabels: { app: 'db' } } };

function engine(...texts: string[]): PolicyEngine {
  return new PolicyEngine(
    texts.flatMap((text) => specPolicies(text)),
    cluster,
  );
}

function allowed(policies: PolicyEngine, direction: PolicyDirection, pod: string, protocol = TCP, port = 80): string[] {
  return EVERYBODY.filter(
    (name) => policies.evaluate(direction, cluster.identityOf[pod]!, cluster.peer(name), protocol, port).allowed,
  );
}

describe('which pods a policy is about', () => {
  const closing = (endpointSelector: object, kind?: string) =>
    engine(manifest({ spec: { endpointSelector, ingress: [{}] } }, kind));
  test.each<[string, object, string, readonly string[]]>([
    ['an empty selector: its namespace', {}, 'CiliumNetworkPolicy', ['web', 'db']],
    ['an empty clusterwide selector: every pod', {}, 'CiliumClusterwideNetworkPolicy', PODS],
    ['labels', { matchLabels: { app: 'web' } }, 'CiliumNetworkPolicy', ['web']],
    ['labels with a source', { matchLabels: { 'k8s:app': 'web' } }, 'CiliumClusterwideNetworkPolicy', ['web', 'job']],
    ['a source that pods have not', { matchLabels: { 'container:app': 'web' } }, 'CiliumNetworkPolicy', []],
    [
      'a namespace, clusterwide; what a pod writes into its labels does not count',
      { matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'blue' } },
      'CiliumClusterwideNetworkPolicy',
      ['api', 'job'],
    ],
    [
      'another namespace: ignored',
      { matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'blue', app: 'web' } },
      'CiliumNetworkPolicy',
      ['web'],
    ],
    [
      'labels of the namespace',
      { matchLabels: { 'io.cilium.k8s.namespace.labels.team': 'blue' } },
      'CiliumClusterwideNetworkPolicy',
      ['api', 'job'],
    ],
    [
      'the service account',
      { matchLabels: { 'io.cilium.k8s.policy.serviceaccount': 'robot' } },
      'CiliumClusterwideNetworkPolicy',
      ['api'],
    ],
    ['nodes: never', { matchLabels: { 'reserved:host': '' } }, 'CiliumClusterwideNetworkPolicy', []],
  ])('%s', (_, endpointSelector, kind, expected) => {
    const policies = closing(endpointSelector, kind);
    expect(PODS.filter((pod) => !allowed(policies, 'ingress', pod).includes('remote-node'))).toEqual(expected);
  });
});

describe('default deny', () => {
  test.each<[string, object, boolean, boolean]>([
    ['no rules: neither', {}, false, false],
    ['an empty list of rules: neither', { ingress: [] }, false, false],
    ['an empty rule', { ingress: [{}] }, true, false],
    ['an ingress rule', { ingress: [{ fromEntities: ['world'] }] }, true, false],
    ['an egress rule', { egress: [{}] }, false, true],
    ['a deny rule', { ingressDeny: [{ fromEntities: ['world'] }] }, true, false],
    ['enableDefaultDeny false', { ingress: [{}], egress: [{}], enableDefaultDeny: { ingress: false } }, false, true],
    ['enableDefaultDeny true without a rule', { enableDefaultDeny: { egress: true } }, false, true],
  ])('%s', (_, rules, ingress, egress) => {
    const policies = engine(manifest({ spec: { ...DB, ...rules } }));
    const index = policies.index.indexOf(cluster.identityOf.db!)!;
    expect(policies.endpoint('ingress', index).enforced.fallback.kind === 'default-deny').toBe(ingress);
    expect(policies.endpoint('egress', index).enforced.fallback.kind === 'default-deny').toBe(egress);
  });

  it('turned off leaves a deny rule in force', () => {
    const spec = { ...DB, ingressDeny: [{ fromEntities: ['world'] }], enableDefaultDeny: { ingress: false } };
    expect(allowed(engine(manifest({ spec })), 'ingress', 'db')).toEqual([...PODS, 'host', 'remote-node']);
  });
});

describe('peers of ingress rules', () => {
  const cases: [string, object, readonly string[], string?][] = [
    ['an empty rule: nobody', {}, []],
    ['fromEndpoints, empty list: nobody', { fromEndpoints: [] }, []],
    ['fromEntities, empty list, with ports: nobody', { fromEntities: [], toPorts: [{ ports: [{ port: '80' }] }] }, []],
    ['ports alone: everybody', { toPorts: [{ ports: [{ port: '80' }] }] }, EVERYBODY],
    ['an empty selector: the own namespace', { fromEndpoints: [{}] }, ['web', 'db']],
    ['an empty selector, clusterwide: every pod', { fromEndpoints: [{}] }, PODS, 'CiliumClusterwideNetworkPolicy'],
    ['labels: the own namespace', { fromEndpoints: [{ matchLabels: { app: 'web' } }] }, ['web']],
    [
      'labels, clusterwide: every namespace',
      { fromEndpoints: [{ matchLabels: { app: 'web' } }] },
      ['web', 'job'],
      'CiliumClusterwideNetworkPolicy',
    ],
    [
      'another namespace',
      { fromEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'blue' } }] },
      ['api', 'job'],
    ],
    [
      'any namespace',
      { fromEndpoints: [{ matchExpressions: [{ key: 'io.kubernetes.pod.namespace', operator: 'Exists' }] }] },
      PODS,
    ],
    [
      'labels of the namespace',
      { fromEndpoints: [{ matchLabels: { 'k8s:io.cilium.k8s.namespace.labels.team': 'blue', app: 'web' } }] },
      ['job'],
    ],
    ['this cluster', { fromEndpoints: [{ matchLabels: { 'io.cilium.k8s.policy.cluster': 'lab' } }] }, ['web', 'db']],
    ['another cluster', { fromEndpoints: [{ matchLabels: { 'io.cilium.k8s.policy.cluster': 'far' } }] }, []],
    ['a reserved label', { fromEndpoints: [{ matchLabels: { 'reserved:remote-node': '' } }] }, ['remote-node']],
    [
      'not in a value: the own namespace',
      { fromEndpoints: [{ matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['db'] }] }] },
      ['web'],
    ],
    ['entity all', { fromEntities: ['all'] }, EVERYBODY],
    ['entity world', { fromEntities: ['world'] }, ['192.0.2.1', '198.51.100.7', '2001:db8::1']],
    ['entity world-ipv4', { fromEntities: ['world-ipv4'] }, ['192.0.2.1', '198.51.100.7']],
    ['entity world-ipv6', { fromEntities: ['world-ipv6'] }, ['2001:db8::1']],
    ['entity cluster', { fromEntities: ['cluster'] }, [...PODS, 'remote-node']],
    ['entity remote-node', { fromEntities: ['remote-node'] }, ['remote-node']],
    ['entities host and world', { fromEntities: ['host', 'world'] }, ['192.0.2.1', '198.51.100.7', '2001:db8::1']],
    [
      'entities that nobody is',
      { fromEntities: ['none', 'health', 'init', 'ingress', 'kube-apiserver', 'unmanaged'] },
      [],
    ],
    ['fromCIDR', { fromCIDR: ['192.0.2.0/24'] }, ['192.0.2.1']],
    ['fromCIDR, an address', { fromCIDR: ['198.51.100.7'] }, ['198.51.100.7']],
    [
      'fromCIDR never matches pods or nodes',
      { fromCIDR: ['10.0.0.0/8', '172.20.0.0/16', '0.0.0.0/0'] },
      ['192.0.2.1', '198.51.100.7'],
    ],
    ['fromCIDRSet', { fromCIDRSet: [{ cidr: '0.0.0.0/0', except: ['192.0.2.0/24'] }] }, ['198.51.100.7']],
    ['fromCIDRSet of IPv6', { fromCIDRSet: [{ cidr: '2001:db8::/32' }] }, ['2001:db8::1']],
  ];
  test.each(cases)('%s', (_, rule, expected, kind) => {
    const policies = engine(manifest({ spec: { ...DB, ingress: [rule] } }, kind));
    // A node always reaches its pods.
    expect(allowed(policies, 'ingress', 'db').sort()).toEqual([...new Set([...expected, 'host'])].sort());
  });
});

describe('peers of egress rules', () => {
  test.each<[string, object, readonly string[]]>([
    ['the own node is no exception', { toEndpoints: [{}] }, ['web', 'db']],
    ['entity host', { toEntities: ['host'] }, ['host']],
    ['entity cluster', { toEntities: ['cluster'] }, [...PODS, 'host', 'remote-node']],
    ['toCIDR', { toCIDR: ['192.0.2.0/24'] }, ['192.0.2.1']],
    ['toFQDNs: nobody yet', { toFQDNs: [{ matchName: 'example.org' }] }, []],
    [
      'a Service with a selector: its pods',
      { toServices: [{ k8sService: { serviceName: 'jobs', namespace: 'blue' } }] },
      ['job'],
    ],
    ['a Service of any namespace', { toServices: [{ k8sService: { serviceName: 'jobs' } }] }, ['web', 'job']],
    [
      'a Service without a selector: its addresses, but pods',
      { toServices: [{ k8sService: { serviceName: 'bare', namespace: 'blue' } }] },
      ['192.0.2.1'],
    ],
    [
      'Services by label',
      {
        toServices: [{ k8sServiceSelector: { selector: { matchLabels: { 'k8s:tier': 'batch' } }, namespace: 'red' } }],
      },
      ['web'],
    ],
    ['a Service that is not there', { toServices: [{ k8sService: { serviceName: 'gone' } }] }, []],
    [
      'a Service with ports',
      { toServices: [{ k8sService: { serviceName: 'jobs' } }], toPorts: [{ ports: [{ port: 'http' }] }] },
      [],
    ],
  ])('%s', (_, rule, expected) => {
    expect(allowed(engine(manifest({ spec: { ...DB, egress: [rule] } })), 'egress', 'db')).toEqual(expected);
  });

  it('with a port name: what each destination calls it', () => {
    const rule = {
      toEndpoints: [{ matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'blue' } }],
      toPorts: [{ ports: [{ port: 'HTTP' }] }],
    };
    const policies = engine(manifest({ spec: { ...DB, egress: [rule] } }));
    expect(allowed(policies, 'egress', 'db', TCP, 8080)).toEqual(['job']);
    expect(allowed(policies, 'egress', 'db', TCP, 80)).toEqual([]);
  });
});

describe('ports', () => {
  test.each<[string, object, readonly [number, number, boolean][]]>([
    [
      'any protocol unless one is named',
      { ports: [{ port: '53' }] },
      [
        [TCP, 53, true],
        [UDP, 53, true],
        [SCTP, 53, true],
        [1, 53, false],
      ],
    ],
    [
      'ANY',
      { ports: [{ port: '53', protocol: 'ANY' }] },
      [
        [TCP, 53, true],
        [UDP, 53, true],
        [TCP, 54, false],
      ],
    ],
    [
      'a protocol in small letters',
      { ports: [{ port: '53', protocol: 'udp' }] },
      [
        [UDP, 53, true],
        [TCP, 53, false],
      ],
    ],
    [
      'port 0: every port',
      { ports: [{ port: '0', protocol: 'TCP' }] },
      [
        [TCP, 1, true],
        [TCP, 65_535, true],
        [UDP, 1, false],
      ],
    ],
    [
      'a range',
      { ports: [{ port: '100', endPort: 200, protocol: 'TCP' }] },
      [
        [TCP, 99, false],
        [TCP, 100, true],
        [TCP, 200, true],
        [TCP, 201, false],
      ],
    ],
    [
      'overlapping ranges',
      { ports: [{ port: '1', endPort: 100 }, { port: '50', endPort: 150 }, { port: '60' }] },
      [
        [TCP, 60, true],
        [TCP, 150, true],
        [TCP, 151, false],
      ],
    ],
    ['no ports: none', { ports: [] }, [[TCP, 80, false]]],
  ])('%s', (_, toPorts, cases) => {
    const policies = engine(manifest({ spec: { ...DB, ingress: [{ fromEndpoints: [{}], toPorts: [toPorts] }] } }));
    for (const [protocol, port, expected] of cases) {
      expect(allowed(policies, 'ingress', 'db', protocol, port).includes('web'), `${protocol}/${port}`).toBe(expected);
    }
  });

  it('icmps: types of a family', () => {
    const icmps = [{ fields: [{ type: 8, family: 'IPv4' }, { type: 'EchoRequest', family: 'IPv6' }, { type: '3' }] }];
    const policies = engine(manifest({ spec: { ...DB, ingress: [{ fromEntities: ['world'], icmps }] } }));
    const from = (protocol: number, type: number) => allowed(policies, 'ingress', 'db', protocol, type);
    expect(from(1, 8)).toContain('192.0.2.1');
    expect(from(1, 3)).toContain('192.0.2.1');
    expect(from(58, 128)).toContain('192.0.2.1');
    expect(from(1, 0)).toEqual(['host']);
    expect(from(58, 8)).toEqual(['host']);
    expect(from(TCP, 8)).toEqual(['host']);
  });
});

describe('deny rules', () => {
  const why = (policies: PolicyEngine, name: string) =>
    policies.evaluate('ingress', cluster.identityOf.db!, cluster.peer(name), TCP, 80).reason;

  test.each<[string, object, readonly string[]]>([
    ['win over a closer allow', { ingress: [{ fromEndpoints: [{}] }], ingressDeny: [{ fromEntities: ['all'] }] }, []],
    [
      'win over a narrower port',
      { ingress: [{ toPorts: [{ ports: [{ port: '80' }] }] }], ingressDeny: [{ fromEndpoints: [{}] }] },
      ['api', 'job', 'host', 'remote-node', '192.0.2.1', '198.51.100.7', '2001:db8::1'],
    ],
    [
      'win over a longer CIDR',
      { ingress: [{ fromCIDR: ['192.0.2.1/32'] }], ingressDeny: [{ fromCIDR: ['192.0.0.0/8'] }] },
      ['host'],
    ],
    [
      'by port leave other ports',
      { ingress: [{ fromEntities: ['all'] }], ingressDeny: [{ toPorts: [{ ports: [{ port: '81' }] }] }] },
      EVERYBODY,
    ],
    [
      'shut out the own node',
      { ingress: [{ fromEntities: ['all'] }], ingressDeny: [{ fromEntities: ['host'] }] },
      EVERYBODY.filter((name) => name !== 'host'),
    ],
    ['that are empty match nothing', { ingress: [{ fromEntities: ['all'] }], ingressDeny: [{}] }, EVERYBODY],
  ])('%s', (_, rules, expected) => {
    expect(allowed(engine(manifest({ spec: { ...DB, ...rules } })), 'ingress', 'db')).toEqual(expected);
  });

  it('win over a NetworkPolicy, and are named', () => {
    const network = stringify({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'open', namespace: 'red' },
      spec: { podSelector: {}, ingress: [{}] },
    });
    const policies = engine(
      network,
      manifest({ spec: { ...DB, ingressDeny: [{ fromEndpoints: [{}] }, { fromEntities: ['world'] }] } }),
    );
    expect(reasonText(why(policies, '192.0.2.1'))).toBe('denied by CiliumNetworkPolicy red/it spec.ingressDeny[1]');
    expect(dropReasonOf(why(policies, '192.0.2.1'))).toBe(181);
    expect(reasonText(why(policies, 'api'))).toBe('allowed by NetworkPolicy red/open spec.ingress[0]');
  });
});

describe('policies of several kinds and specs', () => {
  it('every spec of a list counts, and is named by its place', () => {
    const specs = [
      { ...DB, ingress: [{ fromEndpoints: [{ matchLabels: { app: 'web' } }] }] },
      { ...DB, ingress: [{}, { fromEntities: ['remote-node'] }] },
      { endpointSelector: { matchLabels: { app: 'web' } }, egress: [{}] },
    ];
    const policies = engine(manifest({ specs }));
    expect(allowed(policies, 'ingress', 'db')).toEqual(['web', 'host', 'remote-node']);
    const why = (name: string) =>
      reasonText(policies.evaluate('ingress', cluster.identityOf.db!, cluster.peer(name), TCP, 80).reason);
    expect(why('remote-node')).toBe('allowed by CiliumNetworkPolicy red/it specs[1].ingress[1]');
    expect(why('api')).toBe('no rule allows it; closed by CiliumNetworkPolicy red/it');
    expect(allowed(policies, 'egress', 'web')).toEqual([]);
  });

  it('an endpoint’s way to its own node is closed by Cilium’s default deny alone', () => {
    const closed = stringify({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'closed', namespace: 'red' },
      spec: { podSelector: {}, policyTypes: ['Egress'] },
    });
    const policies = engine(closed, manifest({ spec: { ...DB, egress: [{}] } }));
    const why = (pod: string, name: string) =>
      reasonText(policies.evaluate('egress', cluster.identityOf[pod]!, cluster.peer(name), TCP, 80).reason);
    expect(why('web', 'host')).toBe('a pod and its own node may always talk');
    expect(why('db', 'host')).toBe('no rule allows it; closed by CiliumNetworkPolicy red/it');
    expect(why('db', 'api')).toMatch('closed by NetworkPolicy red/closed, CiliumNetworkPolicy red/it');
  });
});
