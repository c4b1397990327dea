import { isWorld, RESERVED_IDENTITY } from '../identity/reserved.ts';
import { cidrHas } from '../ip/cidr.ts';
import type { PolicyDirection, ResolvedRule } from './endpoint-rules.ts';
import type { IdentityIndex } from './identity-index.ts';
import type { CidrMatch } from './policy.ts';

/** The other end of a connection, as the node of the endpoint sees it. */
export interface Peer {
  /** host = the endpoint's own node. */
  readonly identity: number;
  /** 4 or 16 bytes, network order; undefined = matches no CIDR. */
  readonly address: Uint8Array | undefined;
}

/** How a rule knows a peer: less is closer. */
export const BY_IDENTITY = 0;
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

  /** The rule that knows the peer best, of those that match; the first of equals. */
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

  /** Also says whether the rule's ports match: both have to, or it does not know the peer at all. */
  closeness(rule: ResolvedRule): number {
    const byIdentity = this.#knowsIdentity(rule);
    // Most rules are about others: what costs more is asked after that.
    if (!byIdentity && !rule.everybody && rule.cidrs.length === 0) return NOT_AT_ALL;
    const byNumber = this.#hasPort(rule);
    const ofPeer = !this.#ingress && rule.everybody;
    const byName = (!byNumber || ofPeer) && this.#hasNamedPort(rule);
    if (!byNumber && !byName) return NOT_AT_ALL;
    // What a pod calls its port is part of its identity.
    if (byIdentity || (byName && ofPeer)) return BY_IDENTITY;
    // An address has no port names.
    if (!byNumber && !this.#ingress) return NOT_AT_ALL;
    if (this.#knowsAddress(rule)) return BY_ADDRESS;
    return rule.everybody ? AS_EVERYBODY : NOT_AT_ALL;
  }

  applies(rule: ResolvedRule): boolean {
    return this.closeness(rule) !== NOT_AT_ALL;
  }

  knowsPeer(rule: ResolvedRule): boolean {
    return rule.everybody || this.#knowsIdentity(rule) || this.#knowsAddress(rule);
  }

  matchesPort(rule: ResolvedRule): boolean {
    return this.#hasPort(rule) || this.#hasNamedPort(rule);
  }

  #knowsIdentity({ members }: ResolvedRule): boolean {
    return members !== undefined && this.#peerIndex >= 0 && members.has[this.#peerIndex] === 1;
  }

  #knowsAddress({ cidrs }: ResolvedRule): boolean {
    const { address } = this.#peer;
    if (address === undefined) return false;
    for (const match of cidrs) if (this.#inRange(match, address)) return true;
    return false;
  }

  #inRange({ cidr, except, cluster }: CidrMatch, address: Uint8Array): boolean {
    if ((!this.#outside && !cluster) || !cidrHas(cidr, address)) return false;
    for (const excepted of except) if (cidrHas(excepted, address)) return false;
    return true;
  }

  #hasPort({ ports }: ResolvedRule): boolean {
    if (ports === undefined) return true;
    for (const port of ports) {
      if (port.kind !== 'range' || port.protocol !== this.#protocol) continue;
      if (port.first <= this.#port && this.#port <= port.last) return true;
    }
    return false;
  }

  #hasNamedPort({ ports, rule }: ResolvedRule): boolean {
    if (ports === undefined || this.#destination < 0) return false;
    const anyPort = rule.deny && this.#index.isUnmanaged(this.#destination);
    for (const port of ports) {
      if (port.kind !== 'named' || port.protocol !== this.#protocol) continue;
      if (anyPort) return true;
      if (this.#index.namedPort(this.#destination, port.protocol, port.name).includes(this.#port)) return true;
    }
    return false;
  }
}
