import { DIRECTION } from '../flow/direction.ts';
import { isWorld } from '../identity/reserved.ts';
import { CIDR_IDENTITY, OF_CLUSTER } from './cidr-identity.ts';
import { EVERY_TRANSPORT, FULL_BITS, type TransportKey, transportKey, widerKey } from './port-prefix.ts';
import type { Reason } from './reason.ts';

/** Which set of policies an entry belongs to: what is enforced, or what would be with audited policies too. */
export const LAYER = { enforced: 0, audited: 1 } as const;

export const VERDICT_OF_ENTRY = { allow: 1, deny: 2, audit: 3 } as const;

/** Which of several entries that match holds: the greater one. */
export const PRECEDENCE = { fallback: 1, allow: 2, deny: 3 } as const;

/** The peer of entries that are about everybody. */
export const ANY_PEER = 0;

/** One entry of an endpoint's policy map. */
export interface PolicyEntry {
  readonly layer: number;
  /** DIRECTION.INGRESS or DIRECTION.EGRESS */
  readonly direction: number;
  /** An identity, a CIDR identity (with OF_CLUSTER for addresses of pods and nodes), or ANY_PEER. */
  readonly peer: number;
  /** Protocol and port, the longest-prefix part of the key. */
  readonly transport: TransportKey;
  readonly verdict: number;
  readonly precedence: number;
  readonly reason: Reason;
}

/** What the datapath holds for one identity. */
export interface CompiledPolicy {
  readonly identity: number;
  readonly entries: readonly PolicyEntry[];
  /** By direction: false where every connection is allowed for want of a policy, so that nothing need be looked up. */
  readonly enforces: { readonly ingress: boolean; readonly egress: boolean };
  /** By direction: true where the audited layer is to be asked as well. */
  readonly audits: { readonly ingress: boolean; readonly egress: boolean };
}

/** A connection as the datapath sees it at an endpoint. */
export interface PolicyPacket {
  readonly direction: number;
  /** Of the peer; 2 (world) for what is neither pod nor node. */
  readonly identity: number;
  /** CIDR identity of the peer's address; 0 = in no range that a policy names. */
  readonly cidrIdentity: number;
  readonly protocol: number;
  /** Destination port; ICMP: type. */
  readonly port: number;
}

/**
 * The datapath's lookups, in TypeScript: what the programs in the kernel have to do alike.
 *
 *  1. The enforced layer: look up (peer's identity), (CIDR identity, with OF_CLUSTER unless the identity is the world's) where
 *     there is one, and (any peer), each with the longest prefix of protocol and port.
 *  2. Of what is found the greatest precedence holds; of equals the earlier lookup's.
 *  3. Denied: that is the answer.
 *  4. Allowed, and the audited layer is asked: the same there. Denied there: the packet passes and is reported as AUDIT.
 */
export class PolicyMap {
  readonly #layers = new Map<string, PolicyEntry>();
  readonly #audits: CompiledPolicy['audits'];

  constructor({ entries, audits }: CompiledPolicy) {
    this.#audits = audits;
    for (const entry of entries) {
      const key = slot(entry.layer, entry.direction, entry.peer, entry.transport);
      if (this.#layers.has(key)) throw new TypeError(`two entries for ${key}`);
      this.#layers.set(key, entry);
    }
  }

  decide(packet: PolicyPacket): { verdict: number; reason: Reason } {
    const enforced = this.#lookUp(LAYER.enforced, packet);
    const asked = packet.direction === DIRECTION.INGRESS ? this.#audits.ingress : this.#audits.egress;
    if (enforced.verdict === VERDICT_OF_ENTRY.allow && asked) {
      const audited = this.#lookUp(LAYER.audited, packet);
      if (audited.verdict === VERDICT_OF_ENTRY.audit) return audited;
    }
    return enforced;
  }

  #lookUp(layer: number, { direction, identity, cidrIdentity, protocol, port }: PolicyPacket): PolicyEntry {
    const ofCluster = isWorld(identity) ? 0 : OF_CLUSTER;
    const peers = [identity, ...(cidrIdentity === 0 ? [] : [cidrIdentity | CIDR_IDENTITY | ofCluster]), ANY_PEER];
    let holds: PolicyEntry | undefined;
    for (const peer of peers) {
      const found = this.#longest(layer, direction, peer, protocol, port);
      if (found !== undefined && (holds === undefined || found.precedence > holds.precedence)) holds = found;
    }
    if (holds === undefined) throw new TypeError('a policy map without a fallback');
    return holds;
  }

  #longest(layer: number, direction: number, peer: number, protocol: number, port: number): PolicyEntry | undefined {
    let key: TransportKey | undefined = transportKey(protocol, port, FULL_BITS);
    for (; key !== undefined; key = widerKey(key)) {
      const found = this.#layers.get(slot(layer, direction, peer, key));
      if (found !== undefined) return found;
      if (key === EVERY_TRANSPORT) return undefined;
    }
    return undefined;
  }
}

function slot(layer: number, direction: number, peer: number, transport: TransportKey): string {
  return `${layer}/${direction}/${peer}/${transport}`;
}
