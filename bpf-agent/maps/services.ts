import { BpfMap, PerCpuMap } from '../loader/map.ts';
import { bytes, type Codec, u32, u64 } from '../loader/struct-codec.ts';
import type { StructTwin } from './struct-layout.ts';

/** Twin of `struct service_key` (bpf/service.h): a frontend. */
export interface ServiceKey {
  /** 16 bytes, network order. */
  readonly address: Uint8Array;
  readonly port: number;
  /** IANA number. */
  readonly protocol: number;
}

/** Twin of `struct service`. */
export interface ServiceEntry {
  /** Node-local number of the frontend, never 0 nor used again. */
  readonly id: number;
  /** Whose slots; 0 = none. */
  readonly set: number;
  readonly slots: number;
  /** 0 = clients are not kept with a backend. */
  readonly affinitySeconds: number;
  /** The slot is the client's, else a random one. */
  readonly maglev: boolean;
}

/** Twin of `struct slot_key`. */
export interface SlotKey {
  readonly set: number;
  readonly slot: number;
}

/** Twin of `struct backend`. */
export interface BackendEntry {
  /** 16 bytes, network order. */
  readonly address: Uint8Array;
  readonly port: number;
  /** It keeps who is with it, and gets nobody new. */
  readonly terminating: boolean;
  /** It runs on this node. */
  readonly local: boolean;
  /** Id of its frontend. */
  readonly service: number;
}

/** Twin of `struct translation_key`: a socket and its peer as the kernel knows it. */
export interface TranslationKey {
  /** The socket's cookie. */
  readonly socket: bigint;
  readonly address: Uint8Array;
  readonly port: number;
  readonly protocol: number;
}

/** Twin of `struct translation`: the frontend that was asked for. */
export interface TranslationEntry {
  readonly address: Uint8Array;
  readonly port: number;
  /** By connect(); else by sendto(). */
  readonly connected: boolean;
  readonly service: number;
  readonly backend: number;
  /** Process id of who asked, in the agent's own process namespace. */
  readonly process: number;
  /** Cookie of the socket's network namespace. */
  readonly netns: bigint;
}

export const SERVICE_KEY_TWIN: StructTwin = {
  struct: 'service_key',
  size: 20,
  fields: { address: [0, 16], port: [16, 2], protocol: [18, 1], reserved: [19, 1] },
};

export const SERVICE_TWIN: StructTwin = {
  struct: 'service',
  size: 20,
  fields: { id: [0, 4], set: [4, 4], slots: [8, 4], affinitySeconds: [12, 4], flags: [16, 4] },
};

export const SLOT_KEY_TWIN: StructTwin = { struct: 'slot_key', size: 8, fields: { set: [0, 4], slot: [4, 4] } };

export const BACKEND_TWIN: StructTwin = {
  struct: 'backend',
  size: 24,
  fields: { address: [0, 16], port: [16, 2], state: [18, 1], local: [19, 1], service: [20, 4] },
};

export const TRANSLATION_KEY_TWIN: StructTwin = {
  struct: 'translation_key',
  size: 32,
  fields: { socket: [0, 8], address: [8, 16], port: [24, 2], protocol: [26, 1], reserved: [27, 5] },
};

export const TRANSLATION_TWIN: StructTwin = {
  struct: 'translation',
  size: 40,
  fields: {
    address: [0, 16],
    port: [16, 2],
    connected: [18, 1],
    reserved: [19, 1],
    service: [20, 4],
    backend: [24, 4],
    process: [28, 4],
    netns: [32, 8],
  },
};

const MAGLEV = 1;
const READY = 1;
const TERMINATING = 2;

const addressAt = (view: DataView, at: number): Uint8Array => new Uint8Array(view.buffer, view.byteOffset + at, 16);

/** Byte by byte: ten thousand Services are written at once, and a view of each would have to be cleared away. */
function writeAddress(into: DataView, at: number, address: Uint8Array): void {
  for (let index = 0; index < 16; index++) into.setUint8(at + index, address[index]!);
}

export const serviceKeyCodec: Codec<ServiceKey> = {
  size: SERVICE_KEY_TWIN.size,
  encode: ({ address, port, protocol }, into) => {
    writeAddress(into, 0, address);
    into.setUint16(16, port, false);
    into.setUint8(18, protocol);
  },
  decode: (from) => ({
    address: addressAt(from, 0).slice(),
    port: from.getUint16(16, false),
    protocol: from.getUint8(18),
  }),
};

export const serviceEntryCodec: Codec<ServiceEntry> = {
  size: SERVICE_TWIN.size,
  encode: ({ id, set, slots, affinitySeconds, maglev }, into) => {
    into.setUint32(0, id, true);
    into.setUint32(4, set, true);
    into.setUint32(8, slots, true);
    into.setUint32(12, affinitySeconds, true);
    into.setUint32(16, maglev ? MAGLEV : 0, true);
  },
  decode: (from) => ({
    id: from.getUint32(0, true),
    set: from.getUint32(4, true),
    slots: from.getUint32(8, true),
    affinitySeconds: from.getUint32(12, true),
    maglev: (from.getUint32(16, true) & MAGLEV) !== 0,
  }),
};

const slotKey: Codec<SlotKey> = {
  size: SLOT_KEY_TWIN.size,
  encode: ({ set, slot }, into) => {
    into.setUint32(0, set, true);
    into.setUint32(4, slot, true);
  },
  decode: (from) => ({ set: from.getUint32(0, true), slot: from.getUint32(4, true) }),
};

const backendEntry: Codec<BackendEntry> = {
  size: BACKEND_TWIN.size,
  encode: ({ address, port, terminating, local, service }, into) => {
    writeAddress(into, 0, address);
    into.setUint16(16, port, false);
    into.setUint8(18, terminating ? TERMINATING : READY);
    into.setUint8(19, local ? 1 : 0);
    into.setUint32(20, service, true);
  },
  decode: (from) => ({
    address: addressAt(from, 0).slice(),
    port: from.getUint16(16, false),
    terminating: from.getUint8(18) === TERMINATING,
    local: from.getUint8(19) !== 0,
    service: from.getUint32(20, true),
  }),
};

const translationKey: Codec<TranslationKey> = {
  size: TRANSLATION_KEY_TWIN.size,
  encode: ({ socket, address, port, protocol }, into) => {
    into.setBigUint64(0, socket, true);
    writeAddress(into, 8, address);
    into.setUint16(24, port, false);
    into.setUint8(26, protocol);
  },
  decode: (from) => ({
    socket: from.getBigUint64(0, true),
    address: addressAt(from, 8).slice(),
    port: from.getUint16(24, false),
    protocol: from.getUint8(26),
  }),
};

const translationEntry: Codec<TranslationEntry> = {
  size: TRANSLATION_TWIN.size,
  encode: ({ address, port, connected, service, backend, process, netns }, into) => {
    writeAddress(into, 0, address);
    into.setUint16(16, port, false);
    into.setUint8(18, connected ? 1 : 0);
    into.setUint32(20, service, true);
    into.setUint32(24, backend, true);
    into.setUint32(28, process, true);
    into.setBigUint64(32, netns, true);
  },
  decode: (from) => ({
    address: addressAt(from, 0).slice(),
    port: from.getUint16(16, false),
    connected: from.getUint8(18) !== 0,
    service: from.getUint32(20, true),
    backend: from.getUint32(24, true),
    process: from.getUint32(28, true),
    netns: from.getBigUint64(32, true),
  }),
};

/** The maps of load-balancing; see bpf/service.h for who writes and reads each. */
export interface ServiceMaps {
  readonly services: BpfMap<ServiceKey, ServiceEntry>;
  readonly slots: BpfMap<SlotKey, number>;
  readonly backends: BpfMap<number, BackendEntry>;
  /** Key: 4 bytes of prefix length, host order, and the 16-byte address. */
  readonly ranges: BpfMap<Uint8Array, number>;
  readonly translations: BpfMap<TranslationKey, TranslationEntry>;
  /** Cookie of a pod's network namespace → interface index of its endpoint. */
  readonly clientNamespaces: BpfMap<bigint, number>;
  /** Addresses exchanged at pods' sockets since the maps were made. */
  translationCounts(): TranslationCounts;
}

/** Exchanges that were told as flows, and those beyond the rate. */
export interface TranslationCounts {
  readonly told: number;
  readonly untold: number;
}

/** Names of the maps in the object, all of which are pinned. */
export const SERVICE_MAPS = [
  'services',
  'service_slots',
  'service_backends',
  'service_ranges',
  'service_affinity',
  'translations',
  'datagram_backends',
  'client_namespaces',
  'translation_rates',
  'translation_counts',
] as const;

export function serviceMaps(fdOf: (name: string) => number): ServiceMaps {
  const counts = new PerCpuMap('translation_counts', fdOf('translation_counts'), u32, u64);
  const sum = (key: number) => Number(counts.get(key).reduce((total, count) => total + count, 0n));
  return {
    translationCounts: () => ({ told: sum(0), untold: sum(1) }),
    services: new BpfMap('services', fdOf('services'), serviceKeyCodec, serviceEntryCodec),
    slots: new BpfMap('service_slots', fdOf('service_slots'), slotKey, u32),
    backends: new BpfMap('service_backends', fdOf('service_backends'), u32, backendEntry),
    ranges: new BpfMap('service_ranges', fdOf('service_ranges'), bytes(20), u32),
    translations: new BpfMap('translations', fdOf('translations'), translationKey, translationEntry),
    clientNamespaces: new BpfMap('client_namespaces', fdOf('client_namespaces'), u64, u32),
  };
}
