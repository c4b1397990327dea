import { BpfMap } from '../loader/map.ts';
import { type Codec, u32 } from '../loader/struct-codec.ts';
import type { StructTwin } from './struct-layout.ts';

/** One value per direction. */
export type PerDirection<T> = readonly [ingress: T, egress: T];

/** The policy an endpoint is under. */
export interface EndpointPolicy {
  /** Whose entries in `policies` count; 0 = none. */
  readonly set: number;
  /** Whether the set has rules for a direction, and whether some of them are about ranges of addresses. */
  readonly rules: PerDirection<boolean>;
  readonly ranges: PerDirection<boolean>;
  /** Rule id of the default deny; 0 = open. */
  readonly defaultDeny: PerDirection<number>;
  /** The same, were audited policies enforced too. */
  readonly auditDefaultDeny: PerDirection<number>;
  /** Malformed packets and foreign source addresses are dropped. */
  readonly guarded: boolean;
  /** Nothing but its own node's traffic passes: its policy is not known yet. */
  readonly closed: boolean;
}

/** Twin of `struct endpoint` (bpf/endpoint.h): whose interface it is. */
export interface EndpointEntry {
  /** Node-local endpoint number, never 0. */
  readonly id: number;
  /** Security identity of the pod's label set. */
  readonly identity: number;
  /** Undefined = no policy anywhere: everything passes. */
  readonly policy?: EndpointPolicy;
  /** Its addresses in the datapath's 16-byte form, at most two. */
  readonly addresses?: readonly Uint8Array[];
}

export const ENDPOINT_TWIN: StructTwin = {
  struct: 'endpoint',
  size: 64,
  fields: {
    id: [0, 4],
    identity: [4, 4],
    policySet: [8, 4],
    flags: [12, 4],
    defaultDeny: [16, 8],
    auditDefaultDeny: [24, 8],
    own: [32, 32],
  },
};

const FLAG = { RULES: 0x01, RANGES: 0x04, GUARDED: 0x10, CLOSED: 0x20 } as const;

const endpoint: Codec<EndpointEntry> = {
  size: ENDPOINT_TWIN.size,
  encode: ({ id, identity, policy, addresses = [] }, into) => {
    into.setUint32(0, id, true);
    into.setUint32(4, identity, true);
    if (policy !== undefined) {
      into.setUint32(8, policy.set, true);
      into.setUint32(12, flagsOf(policy), true);
      for (const way of [0, 1] as const) {
        into.setUint32(16 + way * 4, policy.defaultDeny[way], true);
        into.setUint32(24 + way * 4, policy.auditDefaultDeny[way], true);
      }
    }
    for (const [index, address] of addresses.slice(0, 2).entries()) {
      new Uint8Array(into.buffer, into.byteOffset + 32 + index * 16, 16).set(address);
    }
  },
  decode: (from) => {
    const flags = from.getUint32(12, true);
    const has = (bit: number): boolean => (flags & bit) !== 0;
    const word = (at: number): number => from.getUint32(at, true);
    const addresses = [0, 1]
      .map((index) => new Uint8Array(from.buffer, from.byteOffset + 32 + index * 16, 16).slice())
      .filter((address) => address.some((byte) => byte !== 0));
    const policy: EndpointPolicy = {
      set: word(8),
      rules: [has(FLAG.RULES), has(FLAG.RULES << 1)],
      ranges: [has(FLAG.RANGES), has(FLAG.RANGES << 1)],
      defaultDeny: [word(16), word(20)],
      auditDefaultDeny: [word(24), word(28)],
      guarded: has(FLAG.GUARDED),
      closed: has(FLAG.CLOSED),
    };
    return {
      id: word(0),
      identity: word(4),
      ...(flags === 0 ? {} : { policy }),
      ...(addresses.length === 0 ? {} : { addresses }),
    };
  },
};

function flagsOf({ rules, ranges, guarded, closed, defaultDeny, auditDefaultDeny }: EndpointPolicy): number {
  let flags = (guarded ? FLAG.GUARDED : 0) | (closed ? FLAG.CLOSED : 0);
  for (const way of [0, 1] as const) {
    // A default deny alone has nothing to look up; the flag then only says that the endpoint is under policy.
    const asked = rules[way] || defaultDeny[way] !== 0 || auditDefaultDeny[way] !== 0;
    flags |= (asked ? FLAG.RULES << way : 0) | (ranges[way] ? FLAG.RANGES << way : 0);
  }
  return flags;
}

/** Interface index of the host side of a pod's veth → endpoint. */
export type EndpointMap = BpfMap<number, EndpointEntry>;

export function endpointMap(fd: number): EndpointMap {
  return new BpfMap('endpoints', fd, u32, endpoint);
}

/** Whether two entries make the datapath do the same. */
export function sameEndpointEntry(a: EndpointEntry, b: EndpointEntry): boolean {
  const bytesOf = (entry: EndpointEntry): Buffer => {
    const view = new DataView(new ArrayBuffer(endpoint.size));
    endpoint.encode(entry, view);
    return Buffer.from(view.buffer);
  };
  return bytesOf(a).equals(bytesOf(b));
}
