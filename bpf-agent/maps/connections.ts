import { BpfMap } from '../loader/map.ts';
import type { Codec } from '../loader/struct-codec.ts';
import type { StructTwin } from './struct-layout.ts';

/** Twin of `struct connection_key` (bpf/conntrack.h), seen from the endpoint. */
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
  /** CLOCK_MONOTONIC nanoseconds of the first packet. */
  readonly opened: number;
  /** Not yet told by a record, [original, reply]. */
  readonly packets: readonly [number, number];
  readonly bytes: readonly [number, number];
  /** STATE_… bits of bpf/conntrack.h. */
  readonly state: number;
  /** 0 = not known. */
  readonly rttMicros: number;
  readonly sourceIdentity: number;
  readonly destinationIdentity: number;
  readonly endpointId: number;
  readonly policyRevision: number;
  /** Whether the endpoint opened it. */
  readonly egress: boolean;
  /** Whether who opened it is a guess. */
  readonly unsure: boolean;
}

export const CONNECTION_KEY_TWIN: StructTwin = {
  struct: 'connection_key',
  size: 44,
  fields: {
    local: [0, 16],
    remote: [16, 16],
    interfaceIndex: [32, 4],
    localPort: [36, 2],
    remotePort: [38, 2],
    protocol: [40, 1],
    oneWay: [41, 1],
    reserved: [42, 2],
  },
};

export const CONNECTION_TWIN: StructTwin = {
  struct: 'connection',
  size: 128,
  fields: {
    opened: [0, 8],
    lastSeen: [8, 16],
    lastRecord: [24, 8],
    packets: [32, 16],
    bytes: [48, 16],
    state: [64, 4],
    flags: [68, 4],
    finAcknowledged: [72, 4],
    rttMicros: [76, 4],
    retransmitsSeen: [80, 8],
    retransmits: [88, 4],
    sourceIdentity: [92, 4],
    destinationIdentity: [96, 4],
    endpointId: [100, 4],
    identityRevision: [104, 4],
    policyRevision: [108, 4],
    ruleId: [112, 4],
    egress: [116, 1],
    unsure: [117, 1],
    ipv6: [118, 1],
    icmpType: [119, 1],
    icmpCode: [120, 1],
    reserved: [121, 7],
  },
};

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
    opened: Number(from.getBigUint64(0, true)),
    packets: [Number(from.getBigUint64(32, true)), Number(from.getBigUint64(40, true))],
    bytes: [Number(from.getBigUint64(48, true)), Number(from.getBigUint64(56, true))],
    state: from.getUint32(64, true),
    rttMicros: from.getUint32(76, true),
    sourceIdentity: from.getUint32(92, true),
    destinationIdentity: from.getUint32(96, true),
    endpointId: from.getUint32(100, true),
    policyRevision: from.getUint32(108, true),
    egress: from.getUint8(116) !== 0,
    unsure: from.getUint8(117) !== 0,
  }),
};

/** The connection table, for looking: only the datapath writes it. */
export type ConnectionMap = BpfMap<ConnectionKey, Connection>;

export function connectionMap(fd: number): ConnectionMap {
  return new BpfMap('connections', fd, connectionKey, connection);
}
