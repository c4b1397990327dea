import { isWorld, RESERVED_IDENTITY } from '../identity/reserved.ts';
import { cidrHas } from '../ip/cidr.ts';
import type { DirectionPolicy, EndpointDirection, PolicyDirection, ResolvedRule } from './endpoint-rules.ts';
import type { IdentityIndex } from './identity-index.ts';
import type { CidrMatch } from './policy.ts';
import { allows, type Reason } from './reason.ts';

/** The other end of a connection, as the node of the endpoint sees it. */
export interface Peer {
  /** host = the endpoint's own node. */
  readonly identity: number;
  /** 4 or 16 bytes, network order; undefined = matches no CIDR. */
  readonly address: Uint8Array | undefined;
}

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

/** How a rule knows a peer: less is closer. */
const BY_IDENTITY = 0;
const BY_ADDRESS = 1;
const AS_EVERYBODY = 2;
const NOT_AT_ALL = 3;

/** One connection, asked about many rules. */
export class ConnectionMatch {
  readonly ownNode: boolean;
  readonly #peer: Peer;
  readonly #index: IdentityIndex;
  /** -1 for an identity nobody knows. */
  readonly #peerIndex: number;
  readonly #outside: boolean;
  readonly #ingress: boolean;
  /** Whose pods give names to the destination's ports. */
  readonly #destination: number;
  readonly #protocol: number;
  readonly #port: number;

  constructor(
    direction: PolicyDirection,
    index: IdentityIndex,
    subject: number,
    peer: Peer,
    protocol: number,
    port: number,
  ) {
    this.#peer = peer;
    this.#index = index;
    this.#peerIndex = index.indexOf(peer.identity) ?? -1;
    this.#outside = isWorld(peer.identity);
    this.#ingress = direction === 'ingress';
    this.#destination = this.#ingress ? subject : this.#peerIndex;
    this.#protocol = protocol;
    this.#port = port;
    this.ownNode = peer.identity === RESERVED_IDENTITY.host;
  }

  best(rules: readonly ResolvedRule[]): ResolvedRule | undefined {
    let best: ResolvedRule | undefined;
    let closest = NOT_AT_ALL;
    for (const rule of rules) {
      const closeness = this.closeness(rule);
      if (closeness >= closest) continue;
      best = rule;
      closest = closeness;
      if (closeness === BY_IDENTITY) break;
    }
    return best;
  }

  closeness(rule: ResolvedRule): number {
    const byNumber = this.#hasPort(rule);
    const byName = !byNumber && this.#hasNamedPort(rule);
    if (!byNumber && !byName) return NOT_AT_ALL;
    if (this.knowsIdentity(rule)) return BY_IDENTITY;
    // What a pod calls its port is part of its identity; an address has no port names.
    if (byName && !this.#ingress) return rule.everybody ? BY_IDENTITY : NOT_AT_ALL;
    if (this.knowsAddress(rule)) return BY_ADDRESS;
    return rule.everybody ? AS_EVERYBODY : NOT_AT_ALL;
  }

  knowsIdentity({ members }: ResolvedRule): boolean {
    return members !== undefined && this.#peerIndex >= 0 && members.has[this.#peerIndex] === 1;
  }

  knowsAddress({ cidrs }: ResolvedRule): boolean {
    const { address } = this.#peer;
    return cidrs.length > 0 && address !== undefined && cidrs.some((match) => this.#inRange(match, address));
  }

  matchesPort(rule: ResolvedRule): boolean {
    return this.#hasPort(rule) || this.#hasNamedPort(rule);
  }

  #inRange({ cidr, except, cluster }: CidrMatch, address: Uint8Array): boolean {
    return (
      (this.#outside || cluster) && cidrHas(cidr, address) && !except.some((excepted) => cidrHas(excepted, address))
    );
  }

  #hasPort({ ports }: ResolvedRule): boolean {
    if (ports === undefined) return true;
    for (const port of ports) {
      if (port.kind !== 'range' || port.protocol !== this.#protocol) continue;
      if (port.first <= this.#port && this.#port <= port.last) return true;
    }
    return false;
  }

  #hasNamedPort({ ports }: ResolvedRule): boolean {
    if (ports === undefined || this.#destination < 0) return false;
    return ports.some(
      (port) =>
        port.kind === 'named' &&
        port.protocol === this.#protocol &&
        this.#index.namedPort(this.#destination, port.protocol, port.name).includes(this.#port),
    );
  }
}
