import fc from 'fast-check';
import { RESERVED_IDENTITY } from '../identity/reserved.ts';
import { parseAddress } from '../ip/address.ts';
import type { Peer } from './connection-match.ts';
import type { PolicyDirection } from './endpoint-rules.ts';
import type { Policy } from './policy.ts';
import { type SpecCluster, type SpecPod, specCluster, specPolicy } from './spec-cluster.ts';

/**
 * For specs: random clusters, policies of every kind as manifests, and connections. Vocabularies are tiny, so that selectors,
 * ranges and ports keep meeting.
 */
export interface GeneratedCase {
  readonly cluster: SpecCluster;
  readonly manifests: readonly object[];
  readonly policies: readonly Policy[];
  readonly connections: readonly GeneratedConnection[];
}

export interface GeneratedConnection {
  readonly direction: PolicyDirection;
  readonly subject: number;
  readonly peer: Peer;
  readonly protocol: number;
  readonly port: number;
}

const NAMESPACES = ['red', 'blue'];
const POD_ADDRESSES = ['10.1.0.1', '10.1.0.2', '10.1.1.1', '10.2.0.1', 'fd00::1', 'fd00:1::1'];
const OUTSIDE = ['192.0.2.1', '192.0.2.130', '198.51.100.7', '2001:db8::1', '2001:db8:1::1', '10.3.0.1'];
const RANGES: readonly { cidr: string; except: readonly string[] }[] = [
  { cidr: '0.0.0.0/0', except: ['10.0.0.0/8', '192.0.2.128/25', '192.0.2.1/32'] },
  { cidr: '10.0.0.0/8', except: ['10.1.0.0/16', '10.1.0.0/24', '10.3.0.1/32'] },
  { cidr: '10.1.0.0/16', except: ['10.1.0.2/32', '10.1.1.0/24'] },
  { cidr: '192.0.2.0/24', except: ['192.0.2.128/25'] },
  { cidr: '172.20.0.0/16', except: ['172.20.0.2/32'] },
  { cidr: '::/0', except: ['fd00::/16', '2001:db8::/48'] },
  { cidr: '2001:db8::/32', except: ['2001:db8:1::/48'] },
];
const LABELS: readonly Readonly<Record<string, string>>[] = [{}, { app: 'a' }, { app: 'b' }, { app: 'a', tier: 'x' }];
const PORTS = [0, 1, 79, 80, 81, 443, 1024, 8080, 65_535];

const pod: fc.Arbitrary<SpecPod> = fc.record({
  namespace: fc.constantFrom(...NAMESPACES),
  labels: fc.constantFrom(...LABELS),
  address: fc.constantFrom(...POD_ADDRESSES),
  ports: fc.constantFrom(
    [],
    [{ name: 'http', protocol: 'TCP', port: 80 }],
    [{ name: 'http', protocol: 'TCP', port: 8080 }],
    [
      { name: 'http', protocol: 'UDP', port: 80 },
      { name: 'dns', protocol: 'UDP', port: 443 },
    ],
  ),
});

const labelSelector = fc.oneof(
  fc.constant({}),
  fc.constantFrom(...LABELS).map((matchLabels) => ({ matchLabels })),
  fc
    .record({
      key: fc.constantFrom('app', 'tier'),
      operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'),
      values: fc.subarray(['a', 'b', 'x'], { minLength: 1 }),
    })
    .map(({ key, operator, values }) => ({
      matchExpressions: [operator.endsWith('In') ? { key, operator, values } : { key, operator }],
    })),
);

const namespaceSelector = fc.constantFrom(
  {},
  { matchLabels: { colour: 'warm' } },
  { matchExpressions: [{ key: 'colour', operator: 'DoesNotExist' }] },
);

const block = fc
  .constantFrom(...RANGES)
  .chain(({ cidr, except }) => fc.subarray([...except]).map((left) => ({ cidr, except: left })));

const networkPeer = fc.oneof(
  labelSelector.map((podSelector) => ({ podSelector })),
  namespaceSelector.map((entry) => ({ namespaceSelector: entry })),
  fc.record({ podSelector: labelSelector, namespaceSelector }),
  block.map((ipBlock) => ({ ipBlock })),
);

const portRange = fc
  .tuple(fc.constantFrom(...PORTS.slice(1)), fc.constantFrom(...PORTS.slice(1)))
  .map(([a, b]) => ({ port: Math.min(a, b), endPort: Math.max(a, b) }));
const protocolName = fc.constantFrom('TCP', 'UDP', 'SCTP');
const networkPort = fc.oneof(
  fc.record({ port: fc.constantFrom(...PORTS.slice(1)), protocol: protocolName }),
  fc.tuple(portRange, protocolName).map(([range, protocol]) => ({ ...range, protocol })),
  fc.record({ port: fc.constantFrom('http', 'dns'), protocol: fc.constantFrom('TCP', 'UDP') }),
  protocolName.map((protocol) => ({ protocol })),
);

/** Lists that are often empty or missing: that is where kinds differ most. */
function some<T>(entry: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(entry, { maxLength: 2 });
}

const metadata = fc.record({
  namespace: fc.constantFrom(...NAMESPACES),
  annotations: fc.constantFrom({}, {}, { 'waggle.dev/enforcement': 'audit' }),
});

const networkPolicy = fc
  .record({
    metadata,
    spec: fc.record(
      {
        podSelector: labelSelector,
        policyTypes: fc.subarray(['Ingress', 'Egress']),
        ingress: some(fc.record({ from: some(networkPeer), ports: some(networkPort) }, { requiredKeys: [] })),
        egress: some(fc.record({ to: some(networkPeer), ports: some(networkPort) }, { requiredKeys: [] })),
      },
      { requiredKeys: ['podSelector'] },
    ),
  })
  .map((body) => ({ apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', ...body }));

const endpointSelector = fc.oneof(
  labelSelector,
  fc.constantFrom(
    { matchLabels: { 'k8s:io.kubernetes.pod.namespace': 'blue' } },
    { matchLabels: { 'reserved:host': '' } },
    { matchLabels: { 'io.cilium.k8s.namespace.labels.colour': 'warm' } },
    { matchExpressions: [{ key: 'io.kubernetes.pod.namespace', operator: 'Exists' }] },
    { matchExpressions: [{ key: 'reserved:world', operator: 'DoesNotExist' }] },
  ),
);
const ENTITY_NAMES = ['all', 'world', 'world-ipv4', 'cluster', 'host', 'remote-node', 'none', 'kube-apiserver'];

function ciliumPeers(prefix: 'from' | 'to'): fc.Arbitrary<object> {
  return fc.oneof(
    fc.constant({}),
    some(endpointSelector).map((list) => ({ [`${prefix}Endpoints`]: list })),
    some(fc.constantFrom(...ENTITY_NAMES)).map((list) => ({ [`${prefix}Entities`]: list })),
    some(fc.constantFrom(...RANGES.map(({ cidr }) => cidr))).map((list) => ({ [`${prefix}CIDR`]: list })),
    some(block).map((list) => ({ [`${prefix}CIDRSet`]: list })),
    ...(prefix === 'to'
      ? [some(fc.constantFrom('pods', 'outside')).map((names) => ({ toServices: names.map(serviceNamed) }))]
      : []),
  );
}

function serviceNamed(serviceName: string): object {
  return { k8sService: { serviceName, namespace: 'red' } };
}

const ciliumPort = fc.oneof(
  fc.record({
    port: fc.constantFrom(...PORTS).map(String),
    protocol: fc.constantFrom('TCP', 'UDP', 'SCTP', 'ANY'),
  }),
  fc.tuple(portRange, protocolName).map(([{ port, endPort }, protocol]) => ({ port: String(port), endPort, protocol })),
  fc.record({ port: fc.constantFrom('http', 'dns') }),
);
const ciliumPorts = fc.oneof(
  fc.constant({}),
  some(some(ciliumPort).map((ports) => ({ ports }))).map((toPorts) => ({ toPorts })),
  fc.constantFrom(
    { icmps: [{ fields: [{ type: 8 }] }] },
    { icmps: [{ fields: [{ type: 'EchoRequest', family: 'IPv6' }] }] },
  ),
);

function ciliumRules(prefix: 'from' | 'to'): fc.Arbitrary<object[]> {
  return some(fc.tuple(ciliumPeers(prefix), ciliumPorts).map(([peers, ports]) => ({ ...peers, ...ports })));
}

const ciliumSpec = fc.record(
  {
    endpointSelector: labelSelector,
    ingress: ciliumRules('from'),
    ingressDeny: ciliumRules('from'),
    egress: ciliumRules('to'),
    egressDeny: ciliumRules('to'),
    enableDefaultDeny: fc.record({ ingress: fc.boolean(), egress: fc.boolean() }, { requiredKeys: [] }),
  },
  { requiredKeys: ['endpointSelector'] },
);
const ciliumPolicy = fc
  .tuple(
    metadata,
    fc.boolean(),
    fc.oneof(
      ciliumSpec.map((spec) => ({ spec })),
      some(ciliumSpec).map(withSpecs),
    ),
  )
  .map(([{ namespace, annotations }, wide, body]) => ({
    apiVersion: 'cilium.io/v2',
    kind: wide ? 'CiliumClusterwideNetworkPolicy' : 'CiliumNetworkPolicy',
    metadata: wide ? { annotations } : { namespace, annotations },
    ...body,
  }));

function withSpecs(specs: object[]): object {
  return { specs: [...specs, { endpointSelector: {}, egress: [{ toEntities: ['all'] }] }] };
}

const connection = fc.record({
  direction: fc.constantFrom<PolicyDirection[]>('ingress', 'egress'),
  subject: fc.nat(),
  peer: fc.oneof(
    fc.nat().map((number) => ({ pod: number })),
    fc.constantFrom('host', 'remote-node', 'unmanaged', ...OUTSIDE).map((name) => ({ name })),
  ),
  transport: fc.oneof(
    fc.tuple(fc.constantFrom(6, 17, 132), fc.constantFrom(...PORTS, 53)),
    fc.constantFrom<[number, number][]>([6, 80], [6, 8080], [17, 80], [17, 443]),
    fc.constantFrom<[number, number][]>([1, 8], [1, 0], [58, 128], [47, 0]),
  ),
});

export const generatedCase: fc.Arbitrary<GeneratedCase> = fc
  .record({
    pods: fc.array(pod, { minLength: 1, maxLength: 6 }),
    manifests: fc.array(fc.oneof(networkPolicy, ciliumPolicy), { minLength: 1, maxLength: 5 }),
    connections: fc.array(connection, { minLength: 1, maxLength: 20 }),
    audited: fc.constantFrom([], [], [], ['red']),
    audit: fc.constantFrom(false, false, false, false, true),
  })
  .map(({ pods, manifests, connections, audited, audit }) => {
    const named = Object.fromEntries(pods.map((entry, number) => [`pod-${number}`, entry]));
    const cluster = specCluster(named, {
      namespaces: { red: { colour: 'warm' }, blue: {} },
      services: [
        { namespace: 'red', name: 'pods', labels: {}, selector: { app: 'a' }, addresses: [] },
        { namespace: 'red', name: 'outside', labels: {}, selector: {}, addresses: ['192.0.2.1', '10.1.0.1'] },
      ],
      auditedNamespaces: audited,
      audit,
    });
    const complete = manifests.map((manifest, number) => ({
      ...manifest,
      metadata: { ...manifest.metadata, name: `policy-${number}` },
    }));
    return {
      cluster,
      manifests: complete,
      policies: complete.map(specPolicy),
      connections: connections.map(({ direction, subject, peer, transport: [protocol, port] }) => ({
        direction,
        subject: cluster.identityOf[`pod-${subject % pods.length}`]!,
        peer: 'pod' in peer ? cluster.peer(`pod-${peer.pod % pods.length}`) : otherPeer(cluster, peer.name),
        protocol,
        port,
      })),
    };
  });

/** An address of the pods' range that no pod has is neither of the cluster's pods nor the world. */
function otherPeer(cluster: SpecCluster, name: string): Peer {
  return name === 'unmanaged'
    ? { identity: RESERVED_IDENTITY.unmanaged, address: parseAddress('10.1.0.99') }
    : cluster.peer(name);
}
