import { PROTOCOL } from '../flow/protocol.ts';
import { FINDINGS, type Finding, type FindingCode, finding } from './finding.ts';
import type { Policy, PortMatch, Rule } from './policy.ts';
import type { PolicyEngine } from './policy-engine.ts';
import { policyText, rulePath } from './reference.ts';
import { isMeant } from './resolve-peers.ts';
import { peerText } from './rule-text.ts';
import { POD_LABEL, requirement, selector } from './selector.ts';

/** Pods that answer DNS, in every distribution there is. */
const DNS_PODS = selector([requirement(`${POD_LABEL}k8s-app`, 'In', ['kube-dns', 'coredns'])]);
const DNS_PORT = 53;
/** How many names a message lists before it counts the rest. */
const LISTED = 3;

/**
 * What is wrong with policies in this cluster, though each may be right by itself: findings WP2xx. Their number is bounded by
 * the rules there are.
 *
 * @param nameOf for messages: who has an identity, such as `shop/web`
 */
export function checkPolicies(engine: PolicyEngine, nameOf: (identity: number) => string): Finding[] {
  const findings: Finding[] = [];
  const blocked = withoutDns(engine);
  for (const policy of engine.policies) {
    const report = (code: FindingCode, message: string, rule?: Rule) => {
      const place = rule?.place ?? policy.place ?? { file: policyText(policy.reference), line: 1, column: 1 };
      const where = rule === undefined ? '' : `${rulePath(rule.reference)}: `;
      findings.push(finding(code, place, `${policyText(policy.reference)}: ${where}${message}`));
    };
    const subjects = subjectsOf(engine, policy);
    if (subjects.length === 0) report('WP201', FINDINGS.WP201.title);
    const silent = subjects.filter((subject) => blocked.get(subject)?.has(policy) === true);
    if (silent.length > 0) {
      const names = silent.map((subject) => nameOf(engine.index.numbers[subject]!));
      report('WP202', `pods it selects cannot ask DNS (${listed(names)}): their names will not resolve`);
    }
    for (const section of policy.sections) {
      for (const rule of [...section.ingress.rules, ...section.egress.rules]) {
        checkPeers(engine, rule, (code, message) => report(code, message, rule));
        checkNames(engine, rule, subjects, (code, message) => report(code, message, rule));
      }
    }
  }
  return findings;
}

/** Indexes of the pods' identities that a policy selects. */
function subjectsOf(engine: PolicyEngine, policy: Policy): number[] {
  const subjects = policy.sections.flatMap(({ subject }) => engine.index.members(subject).list);
  return [...new Set(subjects)].filter((subject) => engine.index.labelSet(subject) !== undefined);
}

/** Who cannot ask any DNS pod by UDP, with the policies that close them. Without DNS pods nothing can be said. */
function withoutDns(engine: PolicyEngine): Map<number, Set<Policy>> {
  const blocked = new Map<number, Set<Policy>>();
  const servers = engine.index.members(DNS_PODS).list;
  if (servers.length === 0) return blocked;
  for (const [subject, identity] of engine.index.numbers.entries()) {
    if (engine.index.labelSet(subject) === undefined || servers.includes(subject)) continue;
    const closing = new Set<Policy>();
    const asks = servers.some((server) => {
      const peer = { identity: engine.index.numbers[server]!, address: undefined };
      const { allowed, reason, audit } = engine.evaluate('egress', identity, peer, PROTOCOL.UDP, DNS_PORT);
      const denied = allowed ? audit : reason;
      if (denied?.kind !== 'default-deny') return denied === undefined;
      for (const section of engine.sections(subject)) {
        if (denied.policies.includes(section.policy.reference)) closing.add(section.policy);
      }
      return false;
    });
    if (!asks && closing.size > 0) blocked.set(subject, closing);
  }
  return blocked;
}

function checkPeers(engine: PolicyEngine, rule: Rule, report: (code: FindingCode, message: string) => void): void {
  for (const peer of rule.peers ?? []) {
    if (peer.kind === 'labels' && engine.index.members(peer.selector).list.length === 0) {
      report('WP203', `nobody is ${peerText(peer)}`);
    } else if (peer.kind === 'service' && !engine.cluster.services.some((service) => isMeant(peer, service))) {
      report('WP205', `there is no ${peerText(peer)}`);
    }
  }
}

/** Port names that no pod they could be about has: a rule's subjects for ingress, its peers for egress. */
function checkNames(
  engine: PolicyEngine,
  rule: Rule,
  subjects: readonly number[],
  report: (code: FindingCode, message: string) => void,
): void {
  const named = (rule.ports ?? []).filter((port) => port.kind === 'named');
  if (named.length === 0) return;
  const ingress = rule.reference.list === 'ingress' || rule.reference.list === 'ingressDeny';
  const { everybody, members } = engine.resolved(rule);
  const destinations = ingress ? subjects : everybody ? [...engine.index.numbers.keys()] : (members?.list ?? []);
  if (destinations.length === 0) return;
  // A port of any protocol is one entry for each; it is enough that one of them exists.
  for (const [name, ports] of Map.groupBy(named, (port) => port.name)) {
    if (!ports.some((port) => hasPort(engine, destinations, port))) {
      report('WP204', `none of the pods it is about names a port "${name}"`);
    }
  }
}

function hasPort(engine: PolicyEngine, destinations: readonly number[], port: PortMatch & { kind: 'named' }): boolean {
  return destinations.some((index) => engine.index.namedPort(index, port.protocol, port.name).length > 0);
}

function listed(names: readonly string[]): string {
  const unique = [...new Set(names)].sort();
  const more = unique.length - LISTED;
  return `${unique.slice(0, LISTED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
