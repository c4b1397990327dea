/** Small packets for the datapath's tests: each function gives the bytes of one layer around its payload. */
import ipaddr from 'ipaddr.js';

const ETHERTYPE = { ipv4: 0x0800, arp: 0x0806, vlan: 0x8100, ipv6: 0x86dd } as const;

export const PROTOCOL = {
  hopByHop: 0,
  icmp: 1,
  igmp: 2,
  tcp: 6,
  udp: 17,
  routing: 43,
  fragment: 44,
  gre: 47,
  authentication: 51,
  icmpv6: 58,
  noNextHeader: 59,
  destination: 60,
  sctp: 132,
  mobility: 135,
} as const;

/** Joins what follows one another. */
export function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export function ethernet(type: number, payload: Uint8Array): Uint8Array {
  const header = Buffer.from('02000000000202000000000100000000', 'hex').subarray(0, 14);
  header.writeUInt16BE(type, 12);
  return join(header, payload);
}

export interface Ipv4Fields {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly payload: Uint8Array;
  /** Padded to a multiple of 4. */
  readonly options?: Uint8Array;
  readonly id?: number;
  /** In bytes, a multiple of 8. */
  readonly fragmentOffset?: number;
  readonly moreFragments?: boolean;
  /** What the header claims, where that should be wrong. */
  readonly totalLength?: number;
  readonly headerWords?: number;
  readonly version?: number;
}

/** A frame with an IPv4 packet. */
export function ipv4(fields: Ipv4Fields): Uint8Array {
  const options = fields.options ?? new Uint8Array(0);
  const header = Buffer.alloc(20 + Math.ceil(options.length / 4) * 4);
  const words = fields.headerWords ?? header.length / 4;
  header[0] = ((fields.version ?? 4) << 4) | words;
  header.writeUInt16BE(fields.totalLength ?? header.length + fields.payload.length, 2);
  header.writeUInt16BE(fields.id ?? 0, 4);
  header.writeUInt16BE((fields.moreFragments ? 0x2000 : 0) | ((fields.fragmentOffset ?? 0) >> 3), 6);
  header[8] = 64;
  header[9] = fields.protocol;
  header.set(address(fields.source), 12);
  header.set(address(fields.destination), 16);
  header.set(options, 20);
  return ethernet(ETHERTYPE.ipv4, join(header, fields.payload));
}

export interface Ipv6Fields {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly payload: Uint8Array;
  /** Extension headers in order, without their next-header byte: see `extension`. */
  readonly extensions?: readonly Extension[];
  readonly payloadLength?: number;
  readonly version?: number;
}

/** An extension header: its number, and its bytes with the first (next header) left to be filled in. */
export interface Extension {
  readonly protocol: number;
  readonly bytes: Uint8Array;
}

/** A frame with an IPv6 packet. */
export function ipv6(fields: Ipv6Fields): Uint8Array {
  const extensions = fields.extensions ?? [];
  const chain = [...extensions.map((one) => one.protocol), fields.protocol];
  const filled = extensions.map((one, index) => {
    const bytes = one.bytes.slice();
    bytes[0] = chain[index + 1]!;
    return bytes;
  });
  const payload = join(...filled, fields.payload);
  const header = Buffer.alloc(40);
  header[0] = (fields.version ?? 6) << 4;
  header.writeUInt16BE(fields.payloadLength ?? payload.length, 4);
  header[6] = chain[0]!;
  header[7] = 64;
  header.set(address(fields.source), 8);
  header.set(address(fields.destination), 24);
  return ethernet(ETHERTYPE.ipv6, join(header, payload));
}

/** An options-like extension header of `units` × 8 bytes (hop-by-hop, destination, routing, mobility). */
export function extension(protocol: number, units = 1): Extension {
  const bytes = new Uint8Array(units * 8);
  bytes[1] = units - 1;
  return { protocol, bytes };
}

/** An authentication header of `words` × 4 bytes; its length counts from the third word. */
export function authentication(words = 6): Extension {
  const bytes = new Uint8Array(words * 4);
  bytes[1] = words - 2;
  return { protocol: PROTOCOL.authentication, bytes };
}

/** @param offset in bytes, a multiple of 8 */
export function fragmentHeader(id: number, offset: number, more: boolean): Extension {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt16BE(offset | (more ? 1 : 0), 2);
  bytes.writeUInt32BE(id, 4);
  return { protocol: PROTOCOL.fragment, bytes };
}

export interface TcpFields {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly flags: number;
  readonly sequence?: number;
  readonly acknowledged?: number;
  readonly payload?: Uint8Array;
  /** What the header claims, in 32-bit words. */
  readonly dataOffset?: number;
}

export function tcp(fields: TcpFields): Uint8Array {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(fields.sourcePort, 0);
  header.writeUInt16BE(fields.destinationPort, 2);
  header.writeUInt32BE((fields.sequence ?? 0) >>> 0, 4);
  header.writeUInt32BE((fields.acknowledged ?? 0) >>> 0, 8);
  header[12] = (fields.dataOffset ?? 5) << 4;
  header[13] = fields.flags;
  return join(header, fields.payload ?? new Uint8Array(0));
}

export function udp(
  sourcePort: number,
  destinationPort: number,
  payload: Uint8Array = new Uint8Array(0),
  length?: number,
): Uint8Array {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(sourcePort, 0);
  header.writeUInt16BE(destinationPort, 2);
  header.writeUInt16BE(length ?? 8 + payload.length, 4);
  return join(header, payload);
}

/** ICMP and ICMPv6 share this shape. */
export function icmp(type: number, code = 0, id = 0, payload: Uint8Array = new Uint8Array(8)): Uint8Array {
  const header = Buffer.alloc(8);
  header[0] = type;
  header[1] = code;
  header.writeUInt16BE(id, 4);
  return join(header, payload);
}

export function sctp(sourcePort: number, destinationPort: number, chunk: number): Uint8Array {
  const packet = Buffer.alloc(16);
  packet.writeUInt16BE(sourcePort, 0);
  packet.writeUInt16BE(destinationPort, 2);
  packet[12] = chunk;
  packet.writeUInt16BE(4, 14);
  return new Uint8Array(packet);
}

export function arp(): Uint8Array {
  return ethernet(ETHERTYPE.arp, new Uint8Array(28));
}

/** Puts an 802.1Q tag into a frame. */
export function tagged(frame: Uint8Array, vlan: number): Uint8Array {
  const tag = Buffer.alloc(4);
  tag.writeUInt16BE(ETHERTYPE.vlan, 0);
  tag.writeUInt16BE(vlan, 2);
  return join(frame.subarray(0, 12), tag, frame.subarray(12));
}

/** IP bytes of a frame: what the datapath counts. */
export function ipBytes(frame: Uint8Array): number {
  return frame.length - 14;
}

function address(text: string): Uint8Array {
  return Uint8Array.from(ipaddr.parse(text).toByteArray());
}
