import { BpfMap } from '../loader/map.ts';
import type { Codec } from '../loader/struct-codec.ts';
import type { StructTwin } from './struct-layout.ts';

/** Bits of {@link PolicyEntry.flags} (bpf/policy.h). */
export const POLICY_FLAG = { ALLOW: 1, DENY: 2, AUDIT_ALLOW: 4, AUDIT_DENY: 8 } as const;

/** Peer number for everybody. */
export const PEER_ANY = 0;
/** Peer numbers with this bit stand for ranges of addresses; the lower bits count within their set. */
export const PEER_RANGE = 0x0100_0000;

/** Twin of `struct policy_key` (bpf/policy.h). */
export interface PolicyKey {
  readonly set: number;
  /** An identity, {@link PEER_ANY}, or a number with {@link PEER_RANGE}. */
  readonly peer: number;
  readonly egress: boolean;
  /** IP protocol number; undefined = every protocol, and then every port. */
  readonly protocol: number | undefined;
  /** First port of the range, host order. */
  readonly port: number;
  /** Bits of the port that count, 0..16: 0 = every port. */
  readonly portBits: number;
}

/** Twin of `struct policy_entry`. */
export interface PolicyEntry {
  readonly flags: number;
  /** Rule id of the denial, else of the permission. */
  readonly rule: number;
  /** Rule id of the audited denial. */
  readonly auditRule: number;
}

/** Twin of `struct policy_range_key`. */
export interface PolicyRangeKey {
  readonly set: number;
  /** 16 bytes, network order. */
  readonly address: Uint8Array;
  /** Bits of the 16-byte form. */
  readonly bits: number;
}

/** Twin of `struct policy_range`: peer numbers, 0 = no rule is about it. */
export interface PolicyRange {
  /** For addresses of pods and nodes. */
  readonly inside: number;
  /** For addresses outside the cluster. */
  readonly outside: number;
}

export const POLICY_KEY_TWIN: StructTwin = {
  struct: 'policy_key',
  size: 16,
  fields: { prefixLength: [0, 4], set: [4, 4], peer: [8, 4], egress: [12, 1], protocol: [13, 1], port: [14, 2] },
};

export const POLICY_ENTRY_TWIN: StructTwin = {
  struct: 'policy_entry',
  size: 12,
  fields: { flags: [0, 4], rule: [4, 4], auditRule: [8, 4] },
};

export const POLICY_RANGE_KEY_TWIN: StructTwin = {
  struct: 'policy_range_key',
  size: 24,
  fields: { prefixLength: [0, 4], set: [4, 4], address: [8, 16] },
};

export const POLICY_RANGE_TWIN: StructTwin = {
  struct: 'policy_range',
  size: 8,
  fields: { inside: [0, 4], outside: [4, 4] },
};

/** Bits before the protocol, and before the port. */
const PEER_BITS = 72;
const PROTOCOL_BITS = 80;
const SET_BITS = 32;

const policyKey: Codec<PolicyKey> = {
  size: POLICY_KEY_TWIN.size,
  encode: ({ set, peer, egress, protocol, port, portBits }, into) => {
    into.setUint32(0, protocol === undefined ? PEER_BITS : PROTOCOL_BITS + portBits, true);
    into.setUint32(4, set, true);
    into.setUint32(8, peer, true);
    into.setUint8(12, egress ? 1 : 0);
    into.setUint8(13, protocol ?? 0);
    into.setUint16(14, port, false);
  },
  decode: (from) => {
    const bits = from.getUint32(0, true);
    return {
      set: from.getUint32(4, true),
      peer: from.getUint32(8, true),
      egress: from.getUint8(12) !== 0,
      protocol: bits < PROTOCOL_BITS ? undefined : from.getUint8(13),
      port: from.getUint16(14, false),
      portBits: Math.max(0, bits - PROTOCOL_BITS),
    };
  },
};

const policyEntry: Codec<PolicyEntry> = {
  size: POLICY_ENTRY_TWIN.size,
  encode: ({ flags, rule, auditRule }, into) => {
    into.setUint32(0, flags, true);
    into.setUint32(4, rule, true);
    into.setUint32(8, auditRule, true);
  },
  decode: (from) => ({
    flags: from.getUint32(0, true),
    rule: from.getUint32(4, true),
    auditRule: from.getUint32(8, true),
  }),
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

const range: Codec<PolicyRange> = {
  size: POLICY_RANGE_TWIN.size,
  encode: ({ inside, outside }, into) => {
    into.setUint32(0, inside, true);
    into.setUint32(4, outside, true);
  },
  decode: (from) => ({ inside: from.getUint32(0, true), outside: from.getUint32(4, true) }),
};

/** The rules of policy sets. A set is never changed for peers that exist while an endpoint is under it. */
export type PolicyMap = BpfMap<PolicyKey, PolicyEntry>;
export type PolicyRangeMap = BpfMap<PolicyRangeKey, PolicyRange>;

export function policyMap(fd: number): PolicyMap {
  return new BpfMap('policies', fd, policyKey, policyEntry);
}

export function policyRangeMap(fd: number): PolicyRangeMap {
  return new BpfMap('policy_ranges', fd, rangeKey, range);
}
