import type { Policy, PortMatch, Rule } from './policy.ts';
import type { Reason } from './reason.ts';
import type { PolicyReference } from './reference.ts';
import type { ResolvedPeers } from './resolve-peers.ts';

export type PolicyDirection = 'ingress' | 'egress';

export interface ResolvedRule extends ResolvedPeers {
  readonly rule: Rule;
  /** Stands for the rule as a reason; one object per rule. */
  readonly reason: Reason;
  readonly ports: readonly PortMatch[] | undefined;
}

/** What one direction of one endpoint comes down to, when a set of policies is enforced. */
export interface DirectionPolicy {
  readonly denies: readonly ResolvedRule[];
  readonly allows: readonly ResolvedRule[];
  /** What holds where no rule matches: the default deny with who made it, or that no policy selects the endpoint. */
  readonly fallback: Reason;
  /** What holds for the pod's own node instead: an allow that no rule is needed for, or a default deny. */
  readonly ownNode: Reason;
}

/** One direction of one endpoint. */
export interface EndpointDirection {
  /** What is enforced. */
  readonly enforced: DirectionPolicy;
  /** What would be, if audited policies were too; undefined where none of them bears on the endpoint. */
  readonly audited: DirectionPolicy | undefined;
}

/** A policy's rules for one direction, as they bear on an endpoint that the policy selects. */
export interface Contribution {
  readonly policy: Policy;
  readonly audit: boolean;
  readonly defaultDeny: boolean;
  readonly rules: readonly ResolvedRule[];
}

/** @param contributions in the order of policies: the first of several matching rules is the one that is named */
export function endpointDirection(
  direction: PolicyDirection,
  contributions: readonly Contribution[],
): EndpointDirection {
  const enforced = contributions.filter(({ audit }) => !audit);
  const silent = contributions.every(({ audit, defaultDeny, rules }) => !audit || (!defaultDeny && rules.length === 0));
  return {
    enforced: directionPolicy(direction, enforced),
    audited: silent ? undefined : directionPolicy(direction, contributions),
  };
}

function directionPolicy(direction: PolicyDirection, contributions: readonly Contribution[]): DirectionPolicy {
  const rules = contributions.flatMap((entry) => entry.rules);
  const closing = contributions.filter(({ defaultDeny }) => defaultDeny).map(({ policy }) => policy);
  return {
    denies: rules.filter(({ rule }) => rule.deny),
    allows: rules.filter(({ rule }) => !rule.deny),
    fallback: defaultDeny(closing),
    ownNode: ownNodeReason(direction, closing),
  };
}

/**
 * Kubernetes: traffic between a pod and its own node is always allowed, so a NetworkPolicy's default deny does not reach it.
 * Cilium: a node reaches its pods (`allow-localhost`); pods reach their node as egress rules say. Deny rules hold in any case.
 */
function ownNodeReason(direction: PolicyDirection, closing: readonly Policy[]): Reason {
  if (closing.length === 0) return { kind: 'no-policy' };
  const others = closing.filter(({ reference }) => reference.kind !== 'NetworkPolicy');
  return direction === 'ingress' || others.length === 0 ? { kind: 'own-node' } : defaultDeny(others);
}

function defaultDeny(closing: readonly Policy[]): Reason {
  if (closing.length === 0) return { kind: 'no-policy' };
  const policies: PolicyReference[] = [];
  // Several specs of one policy are one policy to a reader.
  for (const { reference } of closing) if (policies.at(-1) !== reference) policies.push(reference);
  return { kind: 'default-deny', policies };
}
