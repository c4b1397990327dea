import { allocateIdentities } from '../identity/identity-number.ts';
import { canonicalText, type LabelSet, type NamedPort } from '../identity/label-set.ts';
import { RESERVED_IDENTITY } from '../identity/reserved.ts';
import { parseAddress } from '../ip/address.ts';
import type { PolicyCluster, PolicyService } from './cluster.ts';
import type { Peer } from './connection-match.ts';
import type { Finding } from './finding.ts';
import type { Policy } from './policy.ts';
import { readPolicies, readPolicyObject } from './read-policies.ts';

/** For specs: a pod of a made-up cluster. */
export interface SpecPod {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly address: string;
  readonly ports?: readonly NamedPort[];
  readonly serviceAccount?: string;
}

export interface SpecCluster extends PolicyCluster {
  /** By the pod's name. */
  readonly identityOf: Readonly<Record<string, number>>;
  /** A pod by name, `host`, `remote-node`, or an address outside. */
  peer(name: string): Peer;
}

export function specCluster(
  pods: Readonly<Record<string, SpecPod>>,
  options: {
    readonly namespaces?: Readonly<Record<string, Readonly<Record<string, string>>>>;
    readonly services?: readonly PolicyService[];
    readonly auditedNamespaces?: readonly string[];
    readonly audit?: boolean;
  } = {},
): SpecCluster {
  const sets = new Map(
    Object.entries(pods).map(([name, pod]): [string, LabelSet] => [
      name,
      {
        cluster: 'lab',
        namespace: pod.namespace,
        namespaceLabels: { 'kubernetes.io/metadata.name': pod.namespace, ...options.namespaces?.[pod.namespace] },
        podLabels: pod.labels,
        serviceAccount: pod.serviceAccount ?? 'default',
        namedPorts: pod.ports ?? [],
      },
    ]),
  );
  const numbers = allocateIdentities([...sets.values()].map(canonicalText));
  const identityOf: Record<string, number> = {};
  for (const [name, set] of sets) identityOf[name] = numbers.get(canonicalText(set))!;
  return {
    name: 'lab',
    identities: new Map([...sets].map(([name, set]) => [identityOf[name]!, set])),
    services: options.services ?? [],
    auditedNamespaces: new Set(options.auditedNamespaces),
    audit: options.audit ?? false,
    identityOf,
    peer(name) {
      const pod = pods[name];
      if (pod !== undefined) return { identity: identityOf[name]!, address: parseAddress(pod.address) };
      const node = NODES[name];
      if (node !== undefined) return node;
      return { identity: RESERVED_IDENTITY.world, address: parseAddress(name) };
    },
  };
}

const NODES: Readonly<Record<string, Peer>> = {
  host: { identity: RESERVED_IDENTITY.host, address: parseAddress('172.20.0.1') },
  'remote-node': { identity: RESERVED_IDENTITY['remote-node'], address: parseAddress('172.20.0.2') },
};

/** Policies of a text that has to be without fault. */
export function specPolicies(text: string): Policy[] {
  const { policies, findings } = readPolicies('spec.yaml', text);
  refuse(findings);
  return policies;
}

/** The policy of an object that has to be without fault. */
export function specPolicy(object: object): Policy {
  const { policy, findings } = readPolicyObject(object, 'spec')!;
  refuse(findings);
  return policy!;
}

function refuse(findings: readonly Finding[]): void {
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(errors.map(({ line, message }) => `line ${line}: ${message}`).join('\n'));
}
