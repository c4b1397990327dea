import { BpfMap, PerCpuMap } from '../loader/map.ts';
import { type Codec, u32, u64 } from '../loader/struct-codec.ts';
import { type ServiceEntry, type ServiceKey, serviceEntryCodec, serviceKeyCodec } from './services.ts';
import type { StructTwin } from './struct-layout.ts';

/** An entry of `external_services` (bpf/external.h): a frontend as clients outside find it. */
export interface ExternalServiceEntry extends ServiceEntry {
  /** Only clients of its ranges. */
  readonly ranges: boolean;
  /** The address is the node's own. */
  readonly nodePort: boolean;
  /** Only backends of this node are in its set. */
  readonly local: boolean;
}

/** Twin of `struct external_range_key`. */
export interface ExternalRangeKey {
  /** Bits of the 16-byte form. */
  readonly bits: number;
  /** Id of the frontend. */
  readonly service: number;
  /** 16 bytes, network order. */
  readonly address: Uint8Array;
}

/** Twin of `struct uplink`: under which addresses and ports the node stands in for clients. */
export interface UplinkEntry {
  /** 16 bytes; zero = the node has none of that family. */
  readonly ipv4: Uint8Array;
  readonly ipv6: Uint8Array;
  readonly firstPort: number;
  readonly ports: number;
}

/** Twin of `struct external_key`: a packet's ends. */
export interface ExternalKey {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly protocol: number;
}

/** Twin of `struct external_connection`, as far as the agent goes by it. */
export interface ExternalConnection {
  readonly service: number;
  readonly backend: number;
  /** From the client; else the way back. */
  readonly original: boolean;
  /** The node stands in for the client. */
  readonly masked: boolean;
}

export const EXTERNAL_RANGE_KEY_TWIN: StructTwin = {
  struct: 'external_range_key',
  size: 24,
  fields: { prefixLength: [0, 4], service: [4, 4], address: [8, 16] },
};

export const UPLINK_TWIN: StructTwin = {
  struct: 'uplink',
  size: 40,
  fields: { own: [0, 32], firstPort: [32, 2], ports: [34, 2], reserved: [36, 4] },
};

export const EXTERNAL_KEY_TWIN: StructTwin = {
  struct: 'external_key',
  size: 40,
  fields: {
    source: [0, 16],
    destination: [16, 16],
    sourcePort: [32, 2],
    destinationPort: [34, 2],
    protocol: [36, 1],
    reserved: [37, 3],
  },
};

export const EXTERNAL_CONNECTION_TWIN: StructTwin = {
  struct: 'external_connection',
  size: 56,
  fields: {
    source: [0, 16],
    destination: [16, 16],
    sourcePort: [32, 2],
    destinationPort: [34, 2],
    lastSeen: [36, 4],
    state: [40, 4],
    service: [44, 4],
    backend: [48, 4],
    way: [52, 1],
    masked: [53, 1],
    reserved: [54, 2],
  },
};

const RANGES = 2;
const NODE_PORT = 4;
const LOCAL = 8;
const FLAGS = 16;
const RANGE_BITS = 32;

const externalService: Codec<ExternalServiceEntry> = {
  size: serviceEntryCodec.size,
  encode: (value, into) => {
    serviceEntryCodec.encode(value, into);
    const own = (value.ranges ? RANGES : 0) | (value.nodePort ? NODE_PORT : 0) | (value.local ? LOCAL : 0);
    into.setUint32(FLAGS, into.getUint32(FLAGS, true) | own, true);
  },
  decode: (from) => {
    const flags = from.getUint32(FLAGS, true);
    const has = (flag: number) => (flags & flag) !== 0;
    return { ...serviceEntryCodec.decode(from), ranges: has(RANGES), nodePort: has(NODE_PORT), local: has(LOCAL) };
  },
};

const bytesAt = (view: DataView, at: number, size = 16) => new Uint8Array(view.buffer, view.byteOffset + at, size);

const rangeKey: Codec<ExternalRangeKey> = {
  size: EXTERNAL_RANGE_KEY_TWIN.size,
  encode: ({ bits, service, address }, into) => {
    into.setUint32(0, RANGE_BITS + bits, true);
    into.setUint32(4, service, true);
    bytesAt(into, 8).set(address);
  },
  decode: (from) => ({
    bits: from.getUint32(0, true) - RANGE_BITS,
    service: from.getUint32(4, true),
    address: bytesAt(from, 8).slice(),
  }),
};

const uplinkEntry: Codec<UplinkEntry> = {
  size: UPLINK_TWIN.size,
  encode: ({ ipv4, ipv6, firstPort, ports }, into) => {
    bytesAt(into, 0).set(ipv4);
    bytesAt(into, 16).set(ipv6);
    into.setUint16(32, firstPort, true);
    into.setUint16(34, ports, true);
  },
  decode: (from) => ({
    ipv4: bytesAt(from, 0).slice(),
    ipv6: bytesAt(from, 16).slice(),
    firstPort: from.getUint16(32, true),
    ports: from.getUint16(34, true),
  }),
};

const externalKey: Codec<ExternalKey> = {
  size: EXTERNAL_KEY_TWIN.size,
  encode: ({ source, destination, sourcePort, destinationPort, protocol }, into) => {
    bytesAt(into, 0).set(source);
    bytesAt(into, 16).set(destination);
    into.setUint16(32, sourcePort, false);
    into.setUint16(34, destinationPort, false);
    into.setUint8(36, protocol);
  },
  decode: (from) => ({
    source: bytesAt(from, 0).slice(),
    destination: bytesAt(from, 16).slice(),
    sourcePort: from.getUint16(32, false),
    destinationPort: from.getUint16(34, false),
    protocol: from.getUint8(36),
  }),
};

const externalConnection: Codec<ExternalConnection> = {
  size: EXTERNAL_CONNECTION_TWIN.size,
  encode: () => {
    throw new Error('connections from outside are written by the datapath alone');
  },
  decode: (from) => ({
    service: from.getUint32(44, true),
    backend: from.getUint32(48, true),
    original: from.getUint8(52) === 0,
    masked: from.getUint8(53) !== 0,
  }),
};

/** The maps of Services for clients outside; see bpf/external.h for who writes and reads each. */
export interface ExternalMaps {
  readonly services: BpfMap<ServiceKey, ExternalServiceEntry>;
  readonly ranges: BpfMap<ExternalRangeKey, number>;
  readonly uplink: BpfMap<number, UplinkEntry>;
  readonly connections: BpfMap<ExternalKey, ExternalConnection>;
  /** Entries of `connections` since the maps were made. */
  counts(): ExternalCounts;
}

/** Entries that were made, and that were deleted; the others are in the map, or were evicted from it. */
export interface ExternalCounts {
  readonly entered: number;
  readonly left: number;
}

/** Stands by itself among what is taken over from an earlier agent: no number of it means anything elsewhere. */
export const EXTERNAL_COUNTS_MAP = 'external_counts';

/** Names of the maps in the object that mean something together, all of which are pinned. */
export const EXTERNAL_MAPS = ['external_services', 'external_ranges', 'uplink', 'external_connections'] as const;

export function externalMaps(fdOf: (name: string) => number): ExternalMaps {
  const counts = new PerCpuMap(EXTERNAL_COUNTS_MAP, fdOf(EXTERNAL_COUNTS_MAP), u32, u64);
  const sum = (key: number) => Number(counts.get(key).reduce((total, count) => total + count, 0n));
  return {
    counts: () => ({ entered: sum(0), left: sum(1) }),
    services: new BpfMap('external_services', fdOf('external_services'), serviceKeyCodec, externalService),
    ranges: new BpfMap('external_ranges', fdOf('external_ranges'), rangeKey, u32),
    uplink: new BpfMap('uplink', fdOf('uplink'), u32, uplinkEntry),
    connections: new BpfMap('external_connections', fdOf('external_connections'), externalKey, externalConnection),
  };
}
