import { BpfMap } from '../loader/map.ts';
import { type Codec, u32 } from '../loader/struct-codec.ts';
import type { StructTwin } from './struct-layout.ts';

/** The policy an endpoint is under. */
export interface EndpointPolicy {
  /** Whose entries in `policies` count; 0 = none. */
  readonly set: number;
  /** Directions that the set has something to say about. */
  readonly enforced: { readonly ingress: boolean; readonly egress: boolean };
  /** The same of policies that are audited only. */
  readonly audited: { readonly ingress: boolean; readonly egress: boolean };
  /** Some of it is about ranges of addresses. */
  readonly ranges: boolean;
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
  size: 48,
  fields: { id: [0, 4], identity: [4, 4], policySet: [8, 4], flags: [12, 4], own: [16, 32] },
};

const FLAG = { ENFORCED: 0x01, AUDITED: 0x04, RANGES: 0x10, GUARDED: 0x20, CLOSED: 0x40 } as const;
const ADDRESSES_AT = 16;
const MOST_ADDRESSES = 2;

const endpoint: Codec<EndpointEntry> = {
  size: ENDPOINT_TWIN.size,
  encode: ({ id, identity, policy, addresses = [] }, into) => {
    into.setUint32(0, id, true);
    into.setUint32(4, identity, true);
    into.setUint32(8, policy?.set ?? 0, true);
    into.setUint32(12, policy === undefined ? 0 : flagsOf(policy), true);
    for (const [index, address] of addresses.slice(0, MOST_ADDRESSES).entries()) ownAddress(into, index).set(address);
  },
  decode: (from) => {
    const flags = from.getUint32(12, true);
    const has = (bit: number): boolean => (flags & bit) !== 0;
    const addresses = Array.from({ length: MOST_ADDRESSES }, (_, index) => ownAddress(from, index).slice()).filter(
      (address) => address.some((byte) => byte !== 0),
    );
    const policy: EndpointPolicy = {
      set: from.getUint32(8, true),
      enforced: { ingress: has(FLAG.ENFORCED), egress: has(FLAG.ENFORCED << 1) },
      audited: { ingress: has(FLAG.AUDITED), egress: has(FLAG.AUDITED << 1) },
      ranges: has(FLAG.RANGES),
      guarded: has(FLAG.GUARDED),
      closed: has(FLAG.CLOSED),
    };
    return {
      id: from.getUint32(0, true),
      identity: from.getUint32(4, true),
      ...(flags === 0 ? {} : { policy }),
      ...(addresses.length === 0 ? {} : { addresses }),
    };
  },
};

function ownAddress(view: DataView, index: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + ADDRESSES_AT + index * 16, 16);
}

function flagsOf({ enforced, audited, ranges, guarded, closed }: EndpointPolicy): number {
  return (
    (enforced.ingress ? FLAG.ENFORCED : 0) |
    (enforced.egress ? FLAG.ENFORCED << 1 : 0) |
    (audited.ingress ? FLAG.AUDITED : 0) |
    (audited.egress ? FLAG.AUDITED << 1 : 0) |
    (ranges ? FLAG.RANGES : 0) |
    (guarded ? FLAG.GUARDED : 0) |
    (closed ? FLAG.CLOSED : 0)
  );
}

/** Interface index of the host side of a pod's veth → endpoint. */
export type EndpointMap = BpfMap<number, EndpointEntry>;

export function endpointMap(fd: number): EndpointMap {
  return new BpfMap('endpoints', fd, u32, endpoint);
}

/** Whether two entries make the datapath do the same. */
export function sameEndpointEntry(a: EndpointEntry, b: EndpointEntry): boolean {
  return encoded(a).equals(encoded(b));
}

function encoded(entry: EndpointEntry): Buffer {
  const view = new DataView(new ArrayBuffer(endpoint.size));
  endpoint.encode(entry, view);
  return Buffer.from(view.buffer);
}
