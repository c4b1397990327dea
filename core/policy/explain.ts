import { type Connection, type ConnectionDecision, endOf, evaluateConnection } from './connection.ts';
import { ConnectionMatch, type Peer } from './connection-match.ts';
import type { PolicyDirection } from './endpoint-rules.ts';
import type { Decision } from './evaluate.ts';
import type { Rule } from './policy.ts';
import type { PolicyEngine } from './policy-engine.ts';
import { type Reason, reasonText } from './reason.ts';
import { type PolicyReference, policyText, rulePath, ruleText } from './reference.ts';
import { ruleSummary } from './rule-text.ts';

/** A decision with everything that had a say in it. */
export interface Explanation extends ConnectionDecision {
  /** The source's egress, then the destination's ingress; ends that are no pods are left out. */
  readonly ends: readonly EndExplanation[];
}

export interface EndExplanation {
  readonly direction: PolicyDirection;
  readonly decision: Decision;
  /** Every policy that selects the endpoint and bears on the direction, in the order of policies. */
  readonly policies: readonly PolicyExplanation[];
}

export interface PolicyExplanation {
  readonly policy: PolicyReference;
  /** Evaluated, not enforced. */
  readonly audit: boolean;
  readonly defaultDeny: boolean;
  readonly rules: readonly RuleExplanation[];
}

export interface RuleExplanation {
  readonly rule: Rule;
  /** Both must hold for the rule to apply. */
  readonly peerMatches: boolean;
  readonly portMatches: boolean;
  readonly applies: boolean;
}

/** The decision about a connection, and at each end that is a pod every rule that has a say in it. */
export function explain(engine: PolicyEngine, connection: Connection): Explanation {
  const decision = evaluateConnection(engine, connection);
  const ends = (['egress', 'ingress'] as const).flatMap((direction): EndExplanation[] => {
    const end = decision[direction];
    if (end === undefined) return [];
    const { endpoint, peer } = endOf(connection, direction);
    const subject = engine.index.indexOf(endpoint.identity)!;
    const { protocol, port } = connection;
    const policies = explainPolicies(engine, direction, subject, peer, protocol, port);
    return [{ direction, decision: end, policies }];
  });
  return { ...decision, ends };
}

function explainPolicies(
  engine: PolicyEngine,
  direction: PolicyDirection,
  subject: number,
  peer: Peer,
  protocol: number,
  port: number,
): PolicyExplanation[] {
  const match = new ConnectionMatch(direction, engine.index, subject, peer, protocol, port);
  return engine.sections(subject).flatMap((section) => {
    const { defaultDeny, rules } = section[direction];
    if (!defaultDeny && rules.length === 0) return [];
    const { policy } = section;
    const explained = rules.map((rule): RuleExplanation => {
      const resolved = engine.resolved(rule);
      return {
        rule,
        peerMatches: match.knowsPeer(resolved),
        portMatches: match.matchesPort(resolved),
        applies: match.applies(resolved),
      };
    });
    return [{ policy: policy.reference, audit: engine.audits(policy, subject), defaultDeny, rules: explained }];
  });
}

/** For a terminal: the verdict's reason at each end, then every policy there with its rules and why they apply or not. */
export function explanationText(explanation: Explanation): string {
  const lines: string[] = [];
  for (const { direction, decision, policies } of explanation.ends) {
    const verdict = decision.allowed ? (decision.audit === undefined ? 'allowed' : 'audited') : 'denied';
    lines.push(`${direction} ${verdict}: ${because(decision.reason)}`);
    if (decision.audit !== undefined) lines.push(`  would be dropped: ${because(decision.audit)}`);
    for (const entry of policies) {
      const notes = [entry.audit ? 'audited' : '', entry.defaultDeny ? '' : 'no default deny'].filter(Boolean);
      lines.push(`  ${policyText(entry.policy)}${notes.length === 0 ? '' : ` (${notes.join(', ')})`}`);
      if (entry.rules.length === 0) lines.push('    no rules');
      for (const { rule, peerMatches, portMatches, applies } of entry.rules) {
        const mark = applies ? (rule.deny ? 'denies ' : 'allows ') : '   -   ';
        const place = rule.place === undefined ? '' : ` (${rule.place.file}:${rule.place.line})`;
        const why = applies ? '' : ` [${missed(peerMatches, portMatches)}]`;
        lines.push(`    ${mark} ${rulePath(rule.reference)}: ${ruleSummary(rule, direction)}${why}${place}`);
      }
    }
  }
  if (lines.length === 0) lines.push('neither end is a pod: no policy is asked');
  return lines.join('\n');
}

/** The reason after a word that says the verdict already. */
function because(reason: Reason): string {
  return reason.kind === 'rule' || reason.kind === 'deny-rule' ? ruleText(reason.rule) : reasonText(reason);
}

function missed(peerMatches: boolean, portMatches: boolean): string {
  if (peerMatches && portMatches) return 'an address has no port names';
  return peerMatches ? 'another port' : portMatches ? 'another peer' : 'another peer, another port';
}
