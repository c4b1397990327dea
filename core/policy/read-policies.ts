import { type ManifestDocument, type Place, parseManifest } from '../manifest/document.ts';
import { isDnsLabel, isDnsSubdomain } from '../manifest/names.ts';
import { readAudit } from './enforcement.ts';
import { type Finding, finding, nearlySame, PolicyCheck } from './finding.ts';
import type { Policy, PolicySection } from './policy.ts';
import { readCiliumPolicy } from './read-cilium-policy.ts';
import { readNetworkPolicy, type SectionBody } from './read-network-policy.ts';
import { POLICY_KIND, type PolicyKind, type PolicyReference, policyKinds } from './reference.ts';

/** Another version might mean another thing by the same words. */
const VERSIONS: Readonly<Record<PolicyKind, string>> = {
  NetworkPolicy: 'networking.k8s.io/v1',
  CiliumNetworkPolicy: 'cilium.io/v2',
  CiliumClusterwideNetworkPolicy: 'cilium.io/v2',
};

export interface ReadPolicies {
  readonly policies: Policy[];
  /** Errors stand for policies that are not among `policies`; warnings for ones that are. */
  readonly findings: Finding[];
  /** Objects of other kinds. */
  readonly others: number;
}

/**
 * Every policy of a YAML or JSON text. Never throws: what cannot be used is a finding with file, line and column.
 *
 * @param namespace of namespaced policies that name none
 */
export function readPolicies(file: string, text: string, namespace = 'default'): ReadPolicies {
  const { documents, problems } = parseManifest(file, text);
  const policies: Policy[] = [];
  const findings = problems.map(({ message, ...place }) => finding('WP001', place, message));
  let others = 0;
  for (const document of documents) {
    const read = readPolicy(document, namespace);
    if (read === undefined) others++;
    else {
      findings.push(...read.findings);
      if (read.policy !== undefined) policies.push(read.policy);
    }
  }
  return { policies, findings, others };
}

/** A policy from an object that came without a text, as from the API server. Findings have line and column 1. */
export function readPolicyObject(value: unknown, name: string): { policy?: Policy; findings: Finding[] } | undefined {
  const place = () => ({ file: name, line: 1, column: 1 });
  return readPolicy({ value, place, placeOfName: place }, 'default');
}

/** Undefined for an object that is no policy. */
export function readPolicy(
  document: ManifestDocument,
  defaultNamespace: string,
): { policy?: Policy; findings: Finding[] } | undefined {
  const check = new PolicyCheck(document);
  const kind = check.at(['kind']);
  if (typeof kind !== 'string') return undefined;
  if (!Object.hasOwn(POLICY_KIND, kind)) {
    const meant = policyKinds.names.find((known) => nearlySame(known, kind));
    if (meant === undefined) return undefined;
    check.fail(['kind'], `"${kind}" is no policy; write ${meant}`);
    return { findings: check.findings };
  }
  const reference = readReference(check, kind as PolicyKind, defaultNamespace);
  if (reference === undefined) return { findings: check.findings };
  const audit = readAudit(check);
  const bodies =
    reference.kind === 'NetworkPolicy'
      ? [readNetworkPolicy(check, reference)].filter((body) => body !== undefined)
      : readCiliumPolicy(check, reference);
  if (check.failed) return { findings: check.findings };
  return { policy: assemble(reference, audit, check.place(['metadata', 'name']), bodies), findings: check.findings };
}

function assemble(reference: PolicyReference, audit: boolean, place: Place, bodies: readonly SectionBody[]): Policy {
  const sections: PolicySection[] = [];
  const policy: Policy = { reference, audit, place, sections };
  for (const body of bodies) sections.push({ policy, ...body });
  return policy;
}

function readReference(check: PolicyCheck, kind: PolicyKind, defaultNamespace: string): PolicyReference | undefined {
  check.subject = kind;
  const apiVersion = check.text(['apiVersion'], true);
  if (apiVersion !== undefined && apiVersion !== VERSIONS[kind]) {
    check.fail(['apiVersion'], `must be ${VERSIONS[kind]}, not "${apiVersion.slice(0, 60)}"`);
  }
  check.fields([], ['apiVersion', 'kind', 'metadata', 'spec', 'specs', 'status'].filter(isFieldOf(kind)));
  check.map(['metadata'], true);
  const name = check.text(['metadata', 'name'], true);
  if (name === undefined) return undefined;
  check.subject = `${kind} ${name.slice(0, 253)}`;
  if (!isDnsSubdomain(name)) check.fail(['metadata', 'name'], `"${name.slice(0, 60)}" is not a DNS name`);
  const clusterwide = kind === 'CiliumClusterwideNetworkPolicy';
  const written = check.text(['metadata', 'namespace']);
  if (clusterwide && written !== undefined && written !== '') {
    check.fail(['metadata', 'namespace'], 'has no meaning: the kind is cluster-wide');
  }
  const namespace = clusterwide ? '' : written || defaultNamespace;
  if (!clusterwide && !isDnsLabel(namespace)) {
    check.fail(['metadata', 'namespace'], `"${namespace.slice(0, 60)}" is not a DNS label`);
  }
  return { kind, namespace, name };
}

function isFieldOf(kind: PolicyKind): (field: string) => boolean {
  return (field) => field !== 'specs' || kind !== 'NetworkPolicy';
}
