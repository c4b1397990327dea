import { describe, expect, it, test } from 'vitest';
import { type FINDINGS, findingText } from './finding.ts';
import { readPolicies, readPolicyObject } from './read-policies.ts';

const read = (text: string) => readPolicies('p.yaml', text);
const told = (text: string) => read(text).findings.map(findingText);

const NETWORK = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
  namespace: shop
spec:
`;
const CILIUM = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: web
  namespace: shop
spec:
`;

describe('a policy that cannot be used is told by file, line, column, number and what is wrong', () => {
  test.each<[string, string, RegExp]>([
    ['broken YAML', `${NETWORK}  podSelector: {`, /^p\.yaml:\d+:\d+: error WP001: /],
    ['no spec', NETWORK, /^p\.yaml:6:\d+: error WP002: NetworkPolicy web: spec is missing$/],
    [
      'another group',
      `${NETWORK.replace('networking.k8s.io/v1', 'cilium.io/v2')}  podSelector: {}`,
      /^p\.yaml:1:13: .* must be networking\.k8s\.io\/v1, not "cilium\.io\/v2"/,
    ],
    ['no name', `${NETWORK.replace('name: web', 'x: y')}  podSelector: {}`, /metadata\.name is missing/],
    [
      'a name that is none',
      `${NETWORK.replace('name: web', 'name: Web!')}  podSelector: {}`,
      /^p\.yaml:4:9: .*"Web!" is not a DNS name/,
    ],
    [
      'a misspelt field',
      `${NETWORK}  podSelector: {}\n  ingres: []\n`,
      /^p\.yaml:8:3: error WP003: NetworkPolicy web: spec\.ingres is no field; did you mean ingress\?$/,
    ],
    [
      'a misspelt peer field',
      `${NETWORK}  ingress:\n    - form: []\n`,
      /^p\.yaml:8:7: error WP003: .*spec\.ingress\[0\]\.form is no field$/,
    ],
    [
      'a list for a map',
      `${NETWORK}  podSelector: []\n`,
      /^p\.yaml:7:16: error WP002: .*podSelector must be a map, not a list$/,
    ],
    ['a map for a list', `${NETWORK}  ingress: {}\n`, /spec\.ingress must be a list, not a map/],
    [
      'a peer of nothing',
      `${NETWORK}  ingress: [{from: [{}]}]\n`,
      /^p\.yaml:7:21: .*from\[0\] must have a podSelector, a namespaceSelector or an ipBlock/,
    ],
    [
      'ipBlock beside a selector',
      `${NETWORK}  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}, podSelector: {}}]}]\n`,
      /error WP005: .*ipBlock beside a selector/,
    ],
    [
      'a CIDR that is none',
      `${NETWORK}  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0}}]}]\n`,
      /"10\.0\.0\.0" is not a CIDR/,
    ],
    [
      'an exception outside',
      `${NETWORK}  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}]\n`,
      /11\.0\.0\.0\/16 does not lie in 10\.0\.0\.0\/8/,
    ],
    [
      'an exception that is the whole range',
      `${NETWORK}  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]}]\n`,
      /except\[0\] must be a part of cidr/,
    ],
    [
      'more types than there are',
      `${NETWORK}  policyTypes: [Ingress, Egress, Ingress]\n`,
      /policyTypes has 3 entries; at most 2/,
    ],
    [
      'a version that there is not',
      `${NETWORK}  podSelector: {}\n`.replace('networking.k8s.io/v1', 'networking.k8s.io/v2'),
      /apiVersion must be networking\.k8s\.io\/v1/,
    ],
    [
      'a misspelt kind',
      `${NETWORK}  podSelector: {}\n`.replace('kind: NetworkPolicy', 'kind: Networkpolicy'),
      /kind "Networkpolicy" is no policy; write NetworkPolicy/,
    ],
    [
      'an exception of the other family',
      `${NETWORK}  ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0, except: ["::/0"]}}]}]\n`,
      /does not lie in/,
    ],
    [
      'a port in quotes',
      `${NETWORK}  ingress: [{ports: [{port: "80"}]}]\n`,
      /"80" is not a port name; write the number without quotes/,
    ],
    [
      'a port out of range',
      `${NETWORK}  ingress: [{ports: [{port: 65536}]}]\n`,
      /must be a whole number from 1 to 65535, not 65536/,
    ],
    ['endPort without port', `${NETWORK}  ingress: [{ports: [{endPort: 80}]}]\n`, /endPort needs a port to begin with/],
    [
      'endPort after a name',
      `${NETWORK}  ingress: [{ports: [{port: http, endPort: 80}]}]\n`,
      /endPort needs a port number, not a name/,
    ],
    [
      'endPort before port',
      `${NETWORK}  ingress: [{ports: [{port: 80, endPort: 79}]}]\n`,
      /endPort must be a whole number from 80 to 65535, not 79/,
    ],
    [
      'a protocol that is none',
      `${NETWORK}  ingress: [{ports: [{protocol: ICMP}]}]\n`,
      /must be TCP, UDP, SCTP, not "ICMP"/,
    ],
    ['a policy type that is none', `${NETWORK}  policyTypes: [ingress]\n`, /must be Ingress, Egress, not "ingress"/],
    [
      'a label value that is a number',
      `${NETWORK}  podSelector: {matchLabels: {a: 1}}\n`,
      /matchLabels\.a must be text, not 1; put it in quotes/,
    ],
    ['a label key that is none', `${NETWORK}  podSelector: {matchLabels: {"a b": x}}\n`, /is not a label key/],
    [
      'an operator that is none',
      `${NETWORK}  podSelector: {matchExpressions: [{key: a, operator: Is}]}\n`,
      /must be In, NotIn, Exists, DoesNotExist, not "Is"/,
    ],
    [
      'In without values',
      `${NETWORK}  podSelector: {matchExpressions: [{key: a, operator: In}]}\n`,
      /values must not be empty for In/,
    ],
    [
      'Exists with values',
      `${NETWORK}  podSelector: {matchExpressions: [{key: a, operator: Exists, values: [x]}]}\n`,
      /values must be left out for Exists/,
    ],
    ['specs of a NetworkPolicy', `${NETWORK}  podSelector: {}\nspecs: []\n`, /error WP003: .*specs is no field/],
  ])('NetworkPolicy: %s', (_, text, expected) => {
    expect(told(text)).toContainEqual(expect.stringMatching(expected));
    expect(read(text).policies).toEqual([]);
  });

  test.each<[string, string, RegExp]>([
    ['no selector', `${CILIUM}  ingress: [{}]\n`, /spec\.endpointSelector is missing/],
    ['no spec', CILIUM.replace('spec:\n', ''), /spec is missing, and there is no specs either/],
    [
      'nodeSelector',
      `${CILIUM}  nodeSelector: {}\n`,
      /^p\.yaml:7:17: error WP004: .*nodeSelector selects nodes; policy is enforced on pods only/,
    ],
    [
      'nodeSelector in specs',
      `${CILIUM.replace('spec:\n', '')}specs:\n  - nodeSelector: {}\n`,
      /error WP004: .*specs\[0\]\.nodeSelector/,
    ],
    ['fromNodes', `${CILIUM}  endpointSelector: {}\n  ingress: [{fromNodes: [{}]}]\n`, /error WP004: .*fromNodes/],
    [
      'fromRequires',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{fromRequires: [{}]}]\n`,
      /error WP004: .*fromRequires/,
    ],
    ['toGroups', `${CILIUM}  endpointSelector: {}\n  egress: [{toGroups: [{}]}]\n`, /error WP004: .*toGroups/],
    [
      'cidrGroupRef',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{fromCIDRSet: [{cidrGroupRef: x}]}]\n`,
      /error WP004: .*cidrGroupRef/,
    ],
    [
      'authentication',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{fromEndpoints: [{}], authentication: {mode: required}}]\n`,
      /error WP004: .*"required" asks for mutual authentication/,
    ],
    [
      'toServices in ingress',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{toServices: []}]\n`,
      /error WP003: .*toServices is no field/,
    ],
    [
      'two kinds of peers',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{fromEndpoints: [{}], fromCIDR: [10.0.0.0/8]}]\n`,
      /error WP005: .*has fromEndpoints and fromCIDR/,
    ],
    [
      'toPorts and icmps',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{toPorts: [{ports: [{port: "80"}]}], icmps: [{fields: [{type: 8}]}]}]\n`,
      /error WP005: .*toPorts and icmps/,
    ],
    [
      'an entity that is none',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{fromEntities: [internet]}]\n`,
      /must be all, cluster, world.*not "internet"/,
    ],
    [
      'an entity of the prototype',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{fromEntities: [constructor]}]\n`,
      /not "constructor"/,
    ],
    [
      'a port without quotes',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{toPorts: [{ports: [{port: 80}]}]}]\n`,
      /port must be text, not 80; put it in quotes/,
    ],
    [
      'a port out of range',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{toPorts: [{ports: [{port: "70000"}]}]}]\n`,
      /"70000" is neither a port from 0 to 65535 nor a port name/,
    ],
    [
      'endPort before port',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{toPorts: [{ports: [{port: "80", endPort: 79}]}]}]\n`,
      /79 is less than the port, 80/,
    ],
    [
      '41 ports',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{toPorts: [{ports: [${'{port: "80"},'.repeat(41)}]}]}]\n`,
      /has 41 entries; at most 40/,
    ],
    [
      'a reserved label that is none',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{fromEndpoints: [{matchLabels: {"reserved:moon": ""}}]}]\n`,
      /names no reserved label/,
    ],
    [
      'an ICMP type that is none',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{icmps: [{fields: [{type: Knock}]}]}]\n`,
      /is no ICMP type of IPv4/,
    ],
    [
      'layer 7 in a deny rule',
      `${CILIUM}  endpointSelector: {}\n  ingressDeny: [{toPorts: [{ports: [{port: "80"}], rules: {}}]}]\n`,
      /error WP003: .*rules is no field/,
    ],
    [
      'layer 7 on UDP',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{toPorts: [{ports: [{port: "80", protocol: UDP}], rules: {http: [{}]}}]}]\n`,
      /error WP005: .*is for TCP/,
    ],
    [
      'a path that is no pattern',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{path: "("}]}}]}]\n`,
      /path is not a regular expression/,
    ],
    [
      'two protocols of layer 7',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{}], kafka: [{}]}}]}]\n`,
      /error WP005: .*has http and kafka/,
    ],
    [
      'DNS rules in ingress',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{toPorts: [{ports: [{port: "53", protocol: UDP}], rules: {dns: [{matchName: a}]}}]}]\n`,
      /error WP005: .*dns is for egress only/,
    ],
    [
      'a DNS name that is none',
      `${CILIUM}  endpointSelector: {}\n  egress: [{toFQDNs: [{matchName: "a b"}]}]\n`,
      /"a b" is not a DNS name/,
    ],
    [
      'a DNS name and a pattern',
      `${CILIUM}  endpointSelector: {}\n  egress: [{toFQDNs: [{matchName: a, matchPattern: b}]}]\n`,
      /must have either matchName or matchPattern/,
    ],
    [
      'a namespace where there is none',
      `${CILIUM.replace('CiliumNetworkPolicy', 'CiliumClusterwideNetworkPolicy')}  endpointSelector: {}\n`,
      /metadata\.namespace has no meaning/,
    ],
  ])('Cilium: %s', (_, text, expected) => {
    expect(told(text)).toContainEqual(expect.stringMatching(expected));
    expect(read(text).policies).toEqual([]);
  });
});

describe('a policy that can be used', () => {
  test.each<[string, string, keyof typeof FINDINGS]>([
    [
      'layer 7 rules',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{method: GET, path: "/public"}]}}]}]\n`,
      'WP101',
    ],
    [
      'DNS rules',
      `${CILIUM}  endpointSelector: {}\n  egress: [{toPorts: [{ports: [{port: "53", protocol: ANY}], rules: {dns: [{matchPattern: "*"}]}}]}]\n`,
      'WP101',
    ],
    [
      'names',
      `${CILIUM}  endpointSelector: {}\n  egress: [{toFQDNs: [{matchName: example.org}, {matchPattern: "*.example.org"}]}]\n`,
      'WP102',
    ],
    [
      'server names',
      `${CILIUM}  endpointSelector: {}\n  egress: [{toPorts: [{ports: [{port: "443"}], serverNames: [example.org]}]}]\n`,
      'WP103',
    ],
    ['an empty list of peers', `${CILIUM}  endpointSelector: {}\n  ingress: [{fromEndpoints: []}]\n`, 'WP111'],
    ['an empty rule', `${CILIUM}  endpointSelector: {}\n  ingress: [{}]\n`, 'WP112'],
    ['no rule at all', `${CILIUM}  endpointSelector: {}\n`, 'WP113'],
    [
      'another namespace',
      `${CILIUM}  endpointSelector: {matchLabels: {"k8s:io.kubernetes.pod.namespace": other}}\n  ingress: [{}]\n`,
      'WP114',
    ],
    [
      'a named port of an ipBlock',
      `${NETWORK}  egress: [{to: [{ipBlock: {cidr: 10.0.0.0/8}}], ports: [{port: http}]}]\n`,
      'WP115',
    ],
    [
      'an annotation of another word',
      `${NETWORK.replace('spec:', '  annotations: {waggle.dev/enforcement: adit}\nspec:')}  podSelector: {}\n`,
      'WP116',
    ],
    [
      'labels of an unknown source',
      `${CILIUM}  endpointSelector: {matchLabels: {"container:x": y}}\n  ingress: [{}]\n`,
      'WP117',
    ],
    [
      'a label that differs from pod to pod',
      `${NETWORK}  podSelector: {matchLabels: {statefulset.kubernetes.io/pod-name: db-0}}\n`,
      'WP118',
    ],
    [
      'such a label of a peer',
      `${CILIUM}  endpointSelector: {}\n  ingress: [{fromEndpoints: [{matchExpressions: [{key: pod-template-hash, operator: Exists}]}]}]\n`,
      'WP118',
    ],
  ])('is read with a warning: %s', (_, text, code) => {
    const { policies, findings } = read(text);
    expect(policies).toHaveLength(1);
    expect(findings.map((entry) => entry.code)).toContain(code);
    expect(findings.every(({ severity, fix }) => severity === 'warning' && fix !== '')).toBe(true);
  });

  it('stands beside ones that cannot, and beside objects of other kinds', () => {
    const { policies, findings, others } = read(
      `${NETWORK}  podSelector: {}\n---\n${NETWORK}  bad: 1\n---\napiVersion: v1\nkind: Pod\n---\n${CILIUM}  endpointSelector: {}\n  ingress: [{}]\n`,
    );
    expect(policies.map(({ reference }) => reference.kind)).toEqual(['NetworkPolicy', 'CiliumNetworkPolicy']);
    expect(findings.filter(({ severity }) => severity === 'error').map(({ line }) => line)).toEqual([15]);
    expect(others).toBe(1);
  });

  it('comes in lists, of one kind too', () => {
    const item = (name: string) => `  - metadata: {name: ${name}}\n    spec: {podSelector: {}}\n`;
    const list = `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicyList\nitems:\n${item('a')}${item('b')}  - 7\n`;
    const { policies, findings, others } = read(list);
    expect(policies.map(({ reference, place }) => [reference.name, place?.line])).toEqual([
      ['a', 4],
      ['b', 6],
    ]);
    expect([findings, others]).toEqual([[], 1]);
  });

  it('takes its namespace from the caller when it names none', () => {
    const [policy] = readPolicies(
      'p',
      `${NETWORK.replace('  namespace: shop\n', '')}  podSelector: {}`,
      'mine',
    ).policies;
    expect(policy?.reference.namespace).toBe('mine');
  });

  it('knows where each of its rules stands', () => {
    const [policy] = read(`${NETWORK}  ingress:\n    - {}\n    - from: []\n`).policies;
    expect(policy?.sections[0]?.ingress.rules.map(({ place }) => place)).toEqual([
      { file: 'p.yaml', line: 8, column: 7 },
      { file: 'p.yaml', line: 9, column: 7 },
    ]);
  });

  it('comes as an object too', () => {
    const metadata = { name: 'a', namespace: 'b' };
    const object = { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', metadata, spec: { podSelector: {} } };
    expect(readPolicyObject(object, 'state')?.policy?.reference).toEqual({
      kind: 'NetworkPolicy',
      namespace: 'b',
      name: 'a',
    });
    expect(readPolicyObject({ kind: 'Pod' }, 'state')).toBeUndefined();
    for (const value of [null, 1, 'x', [], undefined]) expect(readPolicyObject(value, 'state')).toBeUndefined();
  });
});
