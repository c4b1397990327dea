import type { Cidr } from '../ip/cidr.ts';
import type { PolicyCluster } from './cluster.ts';
import type { Peer } from './connection-match.ts';
import {
  type Contribution,
  type EndpointDirection,
  endpointDirection,
  type PolicyDirection,
  type ResolvedRule,
} from './endpoint-rules.ts';
import { type Decision, evaluate } from './evaluate.ts';
import { IdentityIndex } from './identity-index.ts';
import type { Policy, PolicySection, Rule } from './policy.ts';
import { NO_POLICY, ruleReason } from './reason.ts';
import { comparePolicies } from './reference.ts';
import { resolvePeers } from './resolve-peers.ts';

const NOT_AN_ENDPOINT: EndpointDirection = {
  enforced: { denies: [], allows: [], fallback: NO_POLICY, ownNode: NO_POLICY },
  audited: undefined,
};

/**
 * A set of policies over one picture of a cluster: decides connections, and is what explaining and compiling build on. It
 * never changes; a change of either makes a new engine. What it works out is kept, so asking again is cheap.
 */
export class PolicyEngine {
  readonly policies: readonly Policy[];
  readonly cluster: PolicyCluster;
  readonly index: IdentityIndex;
  readonly #sections: readonly (readonly PolicySection[])[];
  readonly #rules = new Map<Rule, ResolvedRule>();
  readonly #ingress: (EndpointDirection | undefined)[] = [];
  readonly #egress: (EndpointDirection | undefined)[] = [];

  /**
   * @param policies each (kind, namespace, name) once; order does not matter
   * @param before an engine over the same picture of the cluster: what it has worked out of that is taken over
   */
  constructor(policies: readonly Policy[], cluster: PolicyCluster, before?: PolicyEngine) {
    this.policies = [...policies].sort((a, b) => comparePolicies(a.reference, b.reference));
    this.cluster = cluster;
    this.index = before?.cluster === cluster ? before.index : new IdentityIndex(cluster.identities);
    const sections: PolicySection[][] = this.index.numbers.map(() => []);
    for (const policy of this.policies) {
      for (const section of policy.sections) {
        for (const subject of this.index.members(section.subject).list) {
          // Policy is about pods: a node or the world is never an endpoint.
          if (this.index.labelSet(subject) !== undefined) sections[subject]!.push(section);
        }
      }
    }
    this.#sections = sections;
  }

  /**
   * Judges the first packet of a connection at one of its ends.
   *
   * @param identity of the endpoint. One that is no pod's is not policed: allowed.
   * @param peer the other end as the endpoint's node sees it
   * @param port destination port; ICMP: type
   */
  evaluate(direction: PolicyDirection, identity: number, peer: Peer, protocol: number, port: number): Decision {
    const subject = this.index.indexOf(identity);
    if (subject === undefined) return { allowed: true, reason: NO_POLICY, audit: undefined };
    return evaluate(this.endpoint(direction, subject), direction, this.index, subject, peer, protocol, port);
  }

  /** What bears on an endpoint in one direction. @param subject index of its identity */
  endpoint(direction: PolicyDirection, subject: number): EndpointDirection {
    const known = direction === 'ingress' ? this.#ingress : this.#egress;
    known[subject] ??= this.#endpoint(direction, subject);
    return known[subject];
  }

  /** Sections of policies that select the endpoint, in the order of policies. */
  sections(subject: number): readonly PolicySection[] {
    return this.#sections[subject] ?? [];
  }

  /** Whether another engine has the same to say about an endpoint of this identity, ranges of addresses aside. */
  saysTheSame(identity: number, other: PolicyEngine): boolean {
    const subject = this.index.indexOf(identity);
    if (subject === undefined || this.index !== other.index) return false;
    const [own, others] = [this.sections(subject), other.sections(subject)];
    return own.length === others.length && own.every((section, position) => section === others[position]);
  }

  /** True where nothing is enforced on the endpoint by this policy: it, its namespace or everything is audited. */
  audits(policy: Policy, subject: number): boolean {
    if (policy.audit || this.cluster.audit) return true;
    const namespace = this.index.namespace(subject);
    return namespace !== undefined && this.cluster.auditedNamespaces.has(namespace);
  }

  resolved(rule: Rule): ResolvedRule {
    let resolved = this.#rules.get(rule);
    if (resolved === undefined) {
      const peers = resolvePeers(rule, this.index, this.cluster);
      resolved = { rule, reason: ruleReason(rule), ports: rule.ports, ...peers };
      this.#rules.set(rule, resolved);
    }
    return resolved;
  }

  /** Every range that a rule names, exceptions included, by canonical text: what addresses have to be told apart by. */
  cidrs(): Map<string, Cidr> {
    const cidrs = new Map<string, Cidr>();
    for (const { sections } of this.policies) {
      for (const { ingress, egress } of sections) {
        for (const rule of [...ingress.rules, ...egress.rules]) {
          for (const { cidr, except } of this.resolved(rule).cidrs) {
            for (const range of [cidr, ...except]) cidrs.set(range.text, range);
          }
        }
      }
    }
    return cidrs;
  }

  #endpoint(direction: PolicyDirection, subject: number): EndpointDirection {
    const sections = this.sections(subject);
    if (sections.length === 0) return NOT_AN_ENDPOINT;
    const contributions = sections.map((section): Contribution => {
      const { defaultDeny, rules } = section[direction];
      const { policy } = section;
      const resolved = rules.map((rule) => this.resolved(rule));
      return { policy, audit: this.audits(policy, subject), defaultDeny, rules: resolved };
    });
    return endpointDirection(direction, contributions);
  }
}
