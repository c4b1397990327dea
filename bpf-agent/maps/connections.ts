import { BpfMap } from '../loader/map.ts';
import type { Codec } from '../loader/struct-codec.ts';
import type { StructTwin } from './struct-layout.ts';

/** Twin of `struct connection_key` (bpf/packet.h), seen from the endpoint. */
export interface ConnectionKey {
  /** 16 bytes, network order. */
  readonly local: Uint8Array;
  readonly remote: Uint8Array;
  readonly interfaceIndex: number;
  /** ICMP echo: identifier; other ICMP: type. */
  readonly localPort: number;
  /** ICMP echo: type of the request; other ICMP: code. */
  readonly remotePort: number;
  readonly protocol: number;
  /** 0 for what has two directions; ICMP errors: 1 = into the pod, 2 = out of it. */
  readonly oneWay: number;
}

/** The part of `struct connection` worth showing. */
export interface Connection {
  /** Not yet told by a record, [original, reply]. */
  readonly packets: readonly [number, number];
  readonly bytes: readonly [number, number];
  /** STATE_… bits of bpf/connection.h. */
  readonly state: number;
  /** 0 = not known. */
  readonly rttMicros: number;
  readonly sourceIdentity: number;
  readonly destinationIdentity: number;
  readonly endpointId: number;
  readonly policyRevision: number;
  /** What of policy decided; 0 = nothing had to. */
  readonly ruleId: number;
  /** Whether the endpoint opened it. */
  readonly egress: boolean;
  /** Whether who opened it is a guess. */
  readonly unsure: boolean;
  /** Not 0: policy has changed and now denies it. */
  readonly dropReason: number;
}

export const CONNECTION_KEY_TWIN: StructTwin = {
  struct: 'connection_key',
  size: 48,
  fields: {
    local: [0, 16],
    remote: [16, 16],
    interfaceIndex: [32, 4],
    localPort: [36, 2],
    remotePort: [38, 2],
    protocol: [40, 1],
    oneWay: [41, 1],
    reserved: [42, 6],
  },
};

export const CONNECTION_TWIN: StructTwin = {
  struct: 'connection',
  size: 96,
  fields: {
    untold: [0, 16],
    lastSeen: [16, 4],
    lastRecord: [20, 4],
    state: [24, 4],
    policyRevision: [28, 4],
    flags: [32, 2],
    egress: [34, 1],
    dropReason: [35, 1],
    sequence: [36, 8],
    retransmitsSeen: [44, 8],
    retransmits: [52, 4],
    handshake: [56, 4],
    sourceIdentity: [60, 4],
    destinationIdentity: [64, 4],
    endpointId: [68, 4],
    identityRevision: [72, 4],
    ruleId: [76, 4],
    auditRuleId: [80, 4],
    unsure: [84, 1],
    ipv6: [85, 1],
    icmpType: [86, 1],
    icmpCode: [87, 1],
    service: [88, 4],
    reserved: [92, 4],
  },
};

/** Bit of bpf/connection.h: `handshake` is the round trip. */
const STATE_MEASURED = 0x800;

const connectionKey: Codec<ConnectionKey> = {
  size: CONNECTION_KEY_TWIN.size,
  encode: (value, into) => {
    const bytes = new Uint8Array(into.buffer, into.byteOffset, CONNECTION_KEY_TWIN.size);
    bytes.set(value.local, 0);
    bytes.set(value.remote, 16);
    into.setUint32(32, value.interfaceIndex, true);
    into.setUint16(36, value.localPort, true);
    into.setUint16(38, value.remotePort, true);
    into.setUint8(40, value.protocol);
    into.setUint8(41, value.oneWay);
  },
  decode: (from) => {
    const bytes = new Uint8Array(from.buffer, from.byteOffset, CONNECTION_KEY_TWIN.size);
    return {
      local: bytes.slice(0, 16),
      remote: bytes.slice(16, 32),
      interfaceIndex: from.getUint32(32, true),
      localPort: from.getUint16(36, true),
      remotePort: from.getUint16(38, true),
      protocol: from.getUint8(40),
      oneWay: from.getUint8(41),
    };
  },
};

const connection: Codec<Connection> = {
  size: CONNECTION_TWIN.size,
  encode: () => {
    throw new Error('connections are written by the datapath alone');
  },
  decode: (from) => ({
    packets: [untoldPackets(from, 0), untoldPackets(from, 8)],
    bytes: [untoldBytes(from, 0), untoldBytes(from, 8)],
    state: from.getUint32(24, true),
    policyRevision: from.getUint32(28, true),
    egress: from.getUint8(34) !== 0,
    rttMicros: from.getUint32(24, true) & STATE_MEASURED ? from.getUint32(56, true) : 0,
    sourceIdentity: from.getUint32(60, true),
    destinationIdentity: from.getUint32(64, true),
    endpointId: from.getUint32(68, true),
    ruleId: from.getUint32(76, true),
    unsure: from.getUint8(84) !== 0,
    dropReason: from.getUint8(35),
  }),
};

/** Bytes in bits 0–39, packets in bits 40–63 (UNTOLD_… of bpf/connection.h). */
function untoldBytes(from: DataView, at: number): number {
  return Number(from.getBigUint64(at, true) & 0xff_ffff_ffffn);
}

function untoldPackets(from: DataView, at: number): number {
  return Number(from.getBigUint64(at, true) >> 40n);
}

/** The connection table, for looking: only the datapath writes it. */
export type ConnectionMap = BpfMap<ConnectionKey, Connection>;

export function connectionMap(fd: number): ConnectionMap {
  return new BpfMap('connections', fd, connectionKey, connection);
}
