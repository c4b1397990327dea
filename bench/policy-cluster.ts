import { allocateIdentities } from '#core/identity/identity-number.ts';
import { canonicalText, type LabelSet } from '#core/identity/label-set.ts';
import type { PolicyCluster } from '#core/policy/cluster.ts';
import type { Policy } from '#core/policy/policy.ts';
import { readPolicyObject } from '#core/policy/read-policies.ts';

const PER_NAMESPACE = 10;

/**
 * A cluster of namespaces with ten identities and ten policies each, as teams write them: a default deny and DNS, each
 * service opened to those that use it, some to other namespaces, some to CIDRs and port ranges, one to monitoring; every
 * twentieth namespace has Cilium policies with a deny rule instead.
 */
export function policyCluster(identities: number): { cluster: PolicyCluster; policies: Policy[] } {
  const namespaces = identities / PER_NAMESPACE;
  const sets: LabelSet[] = [];
  const policies: Policy[] = [];
  for (let team = 0; team < namespaces; team++) {
    const namespace = `team-${team}`;
    for (let service = 0; service < PER_NAMESPACE; service++) {
      sets.push({
        cluster: 'bench',
        namespace,
        namespaceLabels: { 'kubernetes.io/metadata.name': namespace, group: `group-${team % 10}` },
        podLabels: {
          app: `service-${service}`,
          tier: service < 3 ? 'front' : 'back',
          'pod-template-hash': `${team}${service}`,
        },
        serviceAccount: 'default',
        namedPorts: [{ name: 'http', protocol: 'TCP', port: 8000 + service }],
      });
    }
    const manifests = team % 20 === 19 ? ciliumPolicies(team) : networkPolicies(team);
    policies.push(...manifests.map((manifest, number) => read(namespace, number, manifest)));
  }
  const numbers = allocateIdentities(sets.map(canonicalText));
  const cluster: PolicyCluster = {
    name: 'bench',
    identities: new Map(sets.map((set) => [numbers.get(canonicalText(set))!, set])),
    services: [],
    auditedNamespaces: new Set(),
    audit: false,
  };
  return { cluster, policies };
}

function app(service: number): object {
  return { matchLabels: { app: `service-${service}` } };
}

function namespace(team: number): object {
  return { matchLabels: { 'kubernetes.io/metadata.name': `team-${team}` } };
}

function networkPolicies(team: number): { kind: string; spec: object }[] {
  const specs = [
    { podSelector: {}, policyTypes: ['Ingress', 'Egress'] },
    {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [
        { to: [{ podSelector: {} }] },
        { to: [{ namespaceSelector: namespace(0) }], ports: [{ port: 53, protocol: 'UDP' }, { port: 53 }] },
      ],
    },
    {
      podSelector: app(0),
      ingress: [{ from: [{ ipBlock: { cidr: '0.0.0.0/0', except: [`10.${team % 200}.0.0/16`] } }] }],
    },
    ...[1, 2, 3, 4].map((service) => ({
      podSelector: app(service),
      ingress: [{ from: [{ podSelector: app(service - 1) }, { podSelector: app(9) }], ports: [{ port: 'http' }] }],
    })),
    {
      podSelector: { matchLabels: { tier: 'back' } },
      ingress: [
        { from: [{ podSelector: { matchLabels: { tier: 'front' } } }], ports: [{ port: 9000, endPort: 9099 }] },
      ],
    },
    {
      podSelector: {},
      ingress: [
        { from: [{ namespaceSelector: namespace(1), podSelector: app(9) }], ports: [{ port: 9090 }, { port: 9100 }] },
      ],
    },
    {
      podSelector: app(5),
      ingress: [
        { from: [{ namespaceSelector: { matchLabels: { group: `group-${team % 10}` } } }], ports: [{ port: 443 }] },
      ],
      egress: [{ to: [{ ipBlock: { cidr: `198.18.${team % 250}.0/24` } }], ports: [{ port: 5432 }] }],
    },
  ];
  return specs.map((spec) => ({ kind: 'NetworkPolicy', spec }));
}

function ciliumPolicies(team: number): { kind: string; spec: object }[] {
  return Array.from({ length: PER_NAMESPACE }, (_, service) => ({
    kind: 'CiliumNetworkPolicy',
    spec: {
      endpointSelector: app(service),
      ingress: [{ fromEndpoints: [{}], toPorts: [{ ports: [{ port: String(8000 + service), protocol: 'TCP' }] }] }],
      ingressDeny: [{ fromCIDR: [`203.0.${team % 250}.0/24`] }],
      egress: [{ toEntities: ['cluster'] }, { toCIDRSet: [{ cidr: '192.0.2.0/24', except: ['192.0.2.128/25'] }] }],
    },
  }));
}

function read(space: string, number: number, { kind, spec }: { kind: string; spec: object }): Policy {
  const apiVersion = kind === 'NetworkPolicy' ? 'networking.k8s.io/v1' : 'cilium.io/v2';
  const metadata = { name: `policy-${number}`, namespace: space };
  const { policy, findings } = readPolicyObject({ apiVersion, kind, metadata, spec }, 'bench')!;
  if (policy === undefined) throw new Error(findings[0]?.message);
  return policy;
}
