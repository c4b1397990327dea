import type { Path } from '../manifest/document.ts';
import { readAudit } from './enforcement.ts';
import { PolicyCheck } from './finding.ts';
import type { DirectionRules, Policy, PolicySection, Rule } from './policy.ts';
import { readSubject } from './read-cilium-selector.ts';
import { plainKeys, readRequirements } from './read-selector.ts';
import type { PolicyReference, RuleList } from './reference.ts';
import { IN_NAMESPACE, POD_LABEL, type Requirement, requirement, type Selector, selector } from './selector.ts';

const PLACE = { file: '', line: 1, column: 1 };
const CLOSED: DirectionRules = { defaultDeny: true, rules: [] };
const UNTOUCHED: DirectionRules = { defaultDeny: false, rules: [] };
const NETWORK_FIELDS = ['podSelector', 'ingress', 'egress', 'policyTypes'];
const CILIUM_FIELDS = [
  ...['endpointSelector', 'ingress', 'ingressDeny', 'egress', 'egressDeny'],
  ...['enableDefaultDeny', 'labels', 'description', 'log'],
];

/**
 * What is enforced in the place of a policy that cannot be used and never could: never more open than what was meant,
 * whatever that was. Pods that it selects are closed in the directions it is about, but for what other policies allow; where it
 * has deny rules, which might be about anybody, wholly. What of it cannot be read is taken for all: pods of its namespace (of a
 * clusterwide policy every pod), and both directions. A part that selects nodes is about no pod.
 *
 * @param value the manifest, parsed; undefined when not even that could be done
 */
export function closedInstead(value: unknown, reference: PolicyReference): Policy {
  const place = () => PLACE;
  const document = { value, place, placeOfName: place };
  const sections: PolicySection[] = [];
  const policy: Policy = { reference, audit: readAudit(new PolicyCheck(document)), place: undefined, sections };
  const check = new PolicyCheck(document);
  for (const { path, spec } of specsOf(check, reference)) {
    // Each question gets a check of its own: what fails one says nothing about another.
    const fresh = () => new PolicyCheck(document);
    if (isAboutNodes(check, path)) continue;
    const section = {
      subject: subjectOf(fresh(), path, reference),
      ingress: directionOf(fresh(), path, spec, reference, ['ingress', 'ingressDeny']),
      egress: directionOf(fresh(), path, spec, reference, ['egress', 'egressDeny']),
    };
    sections.push({ policy, ...section });
  }
  return policy;
}

function specsOf(check: PolicyCheck, { kind }: PolicyReference): { path: Path; spec: number | undefined }[] {
  const paths: { path: Path; spec: number | undefined }[] = [];
  if (check.has(['spec'])) paths.push({ path: ['spec'], spec: undefined });
  if (kind !== 'NetworkPolicy') {
    const specs = check.at(['specs']);
    if (Array.isArray(specs)) for (const spec of specs.keys()) paths.push({ path: ['specs', spec], spec });
    else if (check.has(['specs'])) paths.push({ path: ['specs'], spec: undefined });
  }
  return paths.length === 0 ? [{ path: ['spec'], spec: undefined }] : paths;
}

function isAboutNodes(check: PolicyCheck, path: Path): boolean {
  return check.has([...path, 'nodeSelector']) && !check.has([...path, 'endpointSelector']);
}

function subjectOf(check: PolicyCheck, path: Path, { kind, namespace }: PolicyReference): Selector {
  let subject: Selector;
  if (kind === 'NetworkPolicy') {
    // A missing podSelector is an empty one, but only in a spec that is one.
    if (check.map(path, true) === undefined) return everyPodOf(namespace);
    const pods = readRequirements(check, [...path, 'podSelector'], plainKeys(check, POD_LABEL));
    subject = selector([inNamespace(namespace), ...pods]);
  } else {
    if (!check.map([...path, 'endpointSelector'], true)) return everyPodOf(namespace);
    subject = readSubject(check, [...path, 'endpointSelector'], namespace);
  }
  return check.failed ? everyPodOf(namespace) : subject;
}

function everyPodOf(namespace: string): Selector {
  return selector([inNamespace(namespace)]);
}

function inNamespace(namespace: string): Requirement {
  return namespace === '' ? requirement(IN_NAMESPACE, 'Exists') : requirement(IN_NAMESPACE, 'In', [namespace]);
}

function directionOf(
  check: PolicyCheck,
  path: Path,
  spec: number | undefined,
  policy: PolicyReference,
  [allow, deny]: readonly [RuleList, RuleList],
): DirectionRules {
  if (policy.kind === 'NetworkPolicy') return isTyped(check, path, allow) ? CLOSED : UNTOUCHED;
  const denies = isWritten(check, [...path, deny]);
  if (!denies && !isWritten(check, [...path, allow]) && isWellNamed(check, path, CILIUM_FIELDS)) return UNTOUCHED;
  if (!denies) return CLOSED;
  const reference = { policy, spec, list: deny, index: 0 };
  const rule: Rule = { reference, deny: true, peers: undefined, ports: undefined, place: undefined };
  return { defaultDeny: true, rules: [rule] };
}

/** Whether a NetworkPolicy is about the direction, or may be. */
function isTyped(check: PolicyCheck, path: Path, direction: RuleList): boolean {
  const types = check.at([...path, 'policyTypes']) ?? [];
  if (!Array.isArray(types) || types.some((type) => type !== 'Ingress' && type !== 'Egress')) return true;
  if (types.length > 0) return types.includes(direction === 'ingress' ? 'Ingress' : 'Egress');
  return direction === 'ingress' || isWritten(check, [...path, 'egress']) || !isWellNamed(check, path, NETWORK_FIELDS);
}

/** Stands there with something in it. */
function isWritten(check: PolicyCheck, path: Path): boolean {
  const value = check.at(path);
  return check.has(path) && !(Array.isArray(value) && value.length === 0);
}

/** A field of another name may be a misspelt one of any of these. */
function isWellNamed(check: PolicyCheck, path: Path, names: readonly string[]): boolean {
  const value = check.at(path);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.keys(value).every((key) => names.includes(key));
}
