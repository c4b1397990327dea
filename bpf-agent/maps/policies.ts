import { keyBits, keyPort, keyProtocol, type TransportKey, transportKey } from '#core/policy/port-prefix.ts';
import { BpfMap } from '../loader/map.ts';
import { type Codec, u32 } from '../loader/struct-codec.ts';
import type { StructTwin } from './struct-layout.ts';

/** Twin of `struct policy_key` (bpf/policy.h). */
export interface PolicyKey {
  readonly set: number;
  /** An identity, a CIDR identity, or 0 for everybody: core/policy/policy-map.ts. */
  readonly peer: number;
  readonly egress: boolean;
  /** The layer of audited policies; else the enforced one. */
  readonly audited: boolean;
  readonly transport: TransportKey;
}

/** Twin of `struct policy_entry`. */
export interface PolicyEntry {
  /** Reason id. */
  readonly rule: number;
  /** 1..255; the greatest of several entries holds. */
  readonly precedence: number;
  /** Hubble's number; 0 = allowed. */
  readonly dropReason: number;
}

/** Twin of `struct policy_range_key`. */
export interface PolicyRangeKey {
  readonly set: number;
  /** 16 bytes, network order. */
  readonly address: Uint8Array;
  /** Bits of the 16-byte form. */
  readonly bits: number;
}

export const POLICY_KEY_TWIN: StructTwin = {
  struct: 'policy_key',
  size: 16,
  fields: { prefixLength: [0, 4], set: [4, 4], peer: [8, 4], layer: [12, 1], protocol: [13, 1], port: [14, 2] },
};

export const POLICY_ENTRY_TWIN: StructTwin = {
  struct: 'policy_entry',
  size: 8,
  fields: { rule: [0, 4], precedence: [4, 1], dropReason: [5, 1], reserved: [6, 2] },
};

export const POLICY_RANGE_KEY_TWIN: StructTwin = {
  struct: 'policy_range_key',
  size: 24,
  fields: { prefixLength: [0, 4], set: [4, 4], address: [8, 16] },
};

/** Bits before the protocol. */
const PEER_BITS = 72;
const SET_BITS = 32;
/** Bits of the layer's byte. */
const EGRESS = 1;
const AUDITED = 2;

const policyKey: Codec<PolicyKey> = {
  size: POLICY_KEY_TWIN.size,
  encode: ({ set, peer, egress, audited, transport }, into) => {
    into.setUint32(0, PEER_BITS + keyBits(transport), true);
    into.setUint32(4, set, true);
    into.setUint32(8, peer, true);
    into.setUint8(12, (egress ? EGRESS : 0) | (audited ? AUDITED : 0));
    into.setUint8(13, keyProtocol(transport));
    into.setUint16(14, keyPort(transport), false);
  },
  decode: (from) => {
    const layer = from.getUint8(12);
    return {
      set: from.getUint32(4, true),
      peer: from.getUint32(8, true),
      egress: (layer & EGRESS) !== 0,
      audited: (layer & AUDITED) !== 0,
      transport: transportKey(from.getUint8(13), from.getUint16(14, false), from.getUint32(0, true) - PEER_BITS),
    };
  },
};

const policyEntry: Codec<PolicyEntry> = {
  size: POLICY_ENTRY_TWIN.size,
  encode: ({ rule, precedence, dropReason }, into) => {
    into.setUint32(0, rule, true);
    into.setUint8(4, precedence);
    into.setUint8(5, dropReason);
  },
  decode: (from) => ({ rule: from.getUint32(0, true), precedence: from.getUint8(4), dropReason: from.getUint8(5) }),
};

const rangeKey: Codec<PolicyRangeKey> = {
  size: POLICY_RANGE_KEY_TWIN.size,
  encode: ({ set, address, bits }, into) => {
    into.setUint32(0, SET_BITS + bits, true);
    into.setUint32(4, set, true);
    new Uint8Array(into.buffer, into.byteOffset + 8, 16).set(address);
  },
  decode: (from) => ({
    set: from.getUint32(4, true),
    address: new Uint8Array(from.buffer, from.byteOffset + 8, 16).slice(),
    bits: from.getUint32(0, true) - SET_BITS,
  }),
};

/** The rules of policy sets. A set is never changed for peers that exist while an endpoint is under it. */
export type PolicyMap = BpfMap<PolicyKey, PolicyEntry>;
/** Ranges of addresses → their CIDR identities, per set. */
export type PolicyRangeMap = BpfMap<PolicyRangeKey, number>;

export function policyMap(fd: number): PolicyMap {
  return new BpfMap('policies', fd, policyKey, policyEntry);
}

export function policyRangeMap(fd: number): PolicyRangeMap {
  return new BpfMap('policy_ranges', fd, rangeKey, u32);
}
