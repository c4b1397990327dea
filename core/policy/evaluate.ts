import { BY_IDENTITY, ConnectionMatch, type Peer } from './connection-match.ts';
import type { DirectionPolicy, EndpointDirection, PolicyDirection } from './endpoint-rules.ts';
import type { IdentityIndex } from './identity-index.ts';
import { allows, type Reason } from './reason.ts';

/** What one end's policy says to a connection. */
export interface Decision {
  readonly allowed: boolean;
  /** Why: the rule that decided, or the policies that made the default deny. */
  readonly reason: Reason;
  /** Set where it is allowed, and would be denied if audited policies were enforced: why. */
  readonly audit: Reason | undefined;
}

/**
 * Judges the first packet of a connection at one endpoint. In this order:
 *
 *  1. A deny rule that matches wins.
 *  2. Else an allow rule that matches.
 *  3. Else the default: denied where a policy with default deny selects the endpoint, allowed where none does. For the
 *     endpoint's own node, see `ownNode`.
 *
 * Of several rules that match, the one is named that knows the peer best: by identity, else by address, else everybody; and
 * of those the first in the order of policies.
 *
 * @param subject index of the endpoint's identity
 * @param protocol IP protocol number
 * @param port destination port; ICMP: type; 0 for protocols without either
 */
export function evaluate(
  endpoint: EndpointDirection,
  direction: PolicyDirection,
  index: IdentityIndex,
  subject: number,
  peer: Peer,
  protocol: number,
  port: number,
): Decision {
  const match = new ConnectionMatch(direction, index, subject, peer, protocol, port);
  const reason = decide(endpoint.enforced, match);
  const allowed = allows(reason);
  let audit: Reason | undefined;
  if (allowed && endpoint.audited !== undefined) {
    const would = decide(endpoint.audited, match);
    if (!allows(would)) audit = would;
  }
  return { allowed, reason, audit };
}

function decide(policy: DirectionPolicy, match: ConnectionMatch): Reason {
  const denied = match.best(policy.denies);
  if (denied !== undefined) return denied.reason;
  const allowed = match.best(policy.allows);
  if (!match.ownNode) return allowed?.reason ?? policy.fallback;
  // The node is known by identity: only a rule that knows it so comes first.
  if (policy.ownNode.kind !== 'own-node') return allowed?.reason ?? policy.ownNode;
  return allowed !== undefined && match.closeness(allowed) === BY_IDENTITY ? allowed.reason : policy.ownNode;
}
