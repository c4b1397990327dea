/** For specs: an endpoint under policy, fed with packets through BPF_PROG_TEST_RUN. */
import { RESERVED_IDENTITY } from '#core/identity/reserved.ts';
import { formatAddress, parseAddress } from '#core/ip/address.ts';
import { assignCidrIdentities } from '#core/policy/cidr-identity.ts';
import { PolicyCompiler } from '#core/policy/compile.ts';
import type { Peer } from '#core/policy/connection-match.ts';
import type { PolicyEngine } from '#core/policy/policy-engine.ts';
import { type Reason, ReasonTable, reasonText } from '#core/policy/reason.ts';
import { ipv4, ipv6 } from '../bpf/packet-builder.ts';
import { LOOPBACK, PacketStory, type StoryRecord } from '../bpf/packet-story.ts';
import type { DatapathOptions } from '../loader/datapath.ts';
import { toDatapathAddress } from '../maps/address-bytes.ts';
import { PolicySets } from './policy-sets.ts';
import { type SetContent, setContent } from './set-content.ts';

export const OWN = { v4: '10.9.9.9', v6: 'fd09::9' } as const;
const EVERYBODY = { mapped: () => true, exists: () => true };
const SHOT = 2;

export class PolicyStory {
  readonly packets: PacketStory;
  readonly reasons = new ReasonTable();
  readonly #sets: PolicySets;
  readonly #known = new Map<string, number>();

  constructor(options?: DatapathOptions) {
    this.packets = new PacketStory(options);
    this.#sets = new PolicySets(this.packets.datapath.maps, []);
  }

  /**
   * Puts the endpoint under what the engine has for this identity, and lets go of what it was under.
   * @returns in which directions anything is looked up
   */
  enforce(engine: PolicyEngine, identity: number): SetContent['enforced'] {
    const cidrs = assignCidrIdentities(engine.cidrs(), new Map());
    const content = setContent(new PolicyCompiler(engine, cidrs).compile(identity), cidrs, this.reasons);
    const { maps } = this.packets.datapath;
    // As the agent does it: complete set, endpoint, revision; what was there goes last.
    const policy = this.#sets.put(identity, content, EVERYBODY);
    maps.endpoints.set(LOOPBACK, {
      id: 7,
      identity,
      policy: { ...policy, guarded: !engine.cluster.audit },
      addresses: [OWN.v4, OWN.v6].map((address) => toDatapathAddress(parseAddress(address))),
    });
    maps.state.bump();
    this.#sets.keepOnly(new Set([identity]));
    this.#sets.sweep(new Set([policy.set]), Number.POSITIVE_INFINITY);
    return policy.enforced;
  }

  /** Makes an address be of this identity; the world's have none. */
  know({ address, identity }: Peer): void {
    const text = formatAddress(address!);
    if ((this.#known.get(text) ?? RESERVED_IDENTITY.world) === identity) return;
    const { identities } = this.packets.datapath.maps;
    if (identity === RESERVED_IDENTITY.world) identities.deleteAddress(address!);
    else identities.setAddress(address!, identity);
    this.#known.set(text, identity);
  }

  /** The endpoint sends to the peer. */
  sends(peer: string, protocol: number, payload: Uint8Array): boolean {
    return this.packets.sent(frame(ownFor(peer), peer, protocol, payload)).returned !== SHOT;
  }

  receives(peer: string, protocol: number, payload: Uint8Array): boolean {
    return this.packets.received(frame(peer, ownFor(peer), protocol, payload)).returned !== SHOT;
  }

  reason(rule: number): string {
    const reason: Reason | undefined = this.reasons.reason(rule);
    return reason === undefined ? `rule ${rule}` : reasonText(reason);
  }

  records(): StoryRecord[] {
    return this.packets.records();
  }

  close(): void {
    this.packets.close();
  }
}

export function frame(source: string, destination: string, protocol: number, payload: Uint8Array): Uint8Array {
  const packet = { source, destination, protocol, payload };
  return source.includes(':') ? ipv6(packet) : ipv4(packet);
}

/** The endpoint's own address of the peer's family. */
function ownFor(peer: string): string {
  return peer.includes(':') ? OWN.v6 : OWN.v4;
}
