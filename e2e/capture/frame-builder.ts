import { parseAddress } from '#core/ip/address.ts';

/** Builds Ethernet frames and pcap files for specs. */

export interface FrameParts {
  source: string;
  destination: string;
  protocol: number;
  /** IPv6 extension headers before the transport header, or IPv4 options (each padded to 4 bytes). */
  extensions?: { protocol: number; body: Uint8Array }[];
  fragment?: { id: number; offset: number; more: boolean };
  transport: Uint8Array;
}

export function frame(parts: FrameParts): Uint8Array {
  const source = parseAddress(parts.source);
  const destination = parseAddress(parts.destination);
  return source.length === 4 ? ipv4Frame(parts, source, destination) : ipv6Frame(parts, source, destination);
}

function ipv4Frame(parts: FrameParts, source: Uint8Array, destination: Uint8Array): Uint8Array {
  const options = concat(...(parts.extensions ?? []).map(({ body }) => pad(body, 4)));
  const header = new Uint8Array(20 + options.length);
  const view = new DataView(header.buffer);
  view.setUint8(0, 0x40 | (header.length / 4));
  view.setUint16(2, header.length + parts.transport.length);
  if (parts.fragment) {
    view.setUint16(4, parts.fragment.id & 0xffff);
    view.setUint16(6, (parts.fragment.more ? 0x2000 : 0) | (parts.fragment.offset / 8));
  }
  view.setUint8(8, 64);
  view.setUint8(9, parts.protocol);
  header.set(source, 12);
  header.set(destination, 16);
  header.set(options, 20);
  return concat(ethernet(0x0800), header, parts.transport);
}

function ipv6Frame(parts: FrameParts, source: Uint8Array, destination: Uint8Array): Uint8Array {
  const chain = [...(parts.extensions ?? [])];
  if (parts.fragment) {
    const body = new Uint8Array(6);
    const view = new DataView(body.buffer);
    view.setUint16(0, parts.fragment.offset | (parts.fragment.more ? 1 : 0));
    view.setUint32(2, parts.fragment.id);
    chain.push({ protocol: 44, body });
  }
  const headers = chain.map(({ protocol, body }, index) => {
    const next = chain[index + 1]?.protocol ?? parts.protocol;
    // A fragment header's second byte is reserved; the others' holds their length in 8 bytes less one.
    const padded = protocol === 44 ? body : pad(body, 8, 6);
    return concat(Uint8Array.of(next, protocol === 44 ? 0 : (padded.length + 2) / 8 - 1), padded);
  });
  const payload = concat(...headers, parts.transport);
  const header = new Uint8Array(40);
  const view = new DataView(header.buffer);
  view.setUint8(0, 0x60);
  view.setUint16(4, payload.length);
  view.setUint8(6, chain[0]?.protocol ?? parts.protocol);
  view.setUint8(7, 64);
  header.set(source, 8);
  header.set(destination, 24);
  return concat(ethernet(0x86dd), header, payload);
}

export function ethernet(etherType: number): Uint8Array {
  const header = new Uint8Array(14);
  new DataView(header.buffer).setUint16(12, etherType);
  return header;
}

export function tcp(sourcePort: number, destinationPort: number, flags: number, sequence = 0): Uint8Array {
  const header = new Uint8Array(20);
  const view = new DataView(header.buffer);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  view.setUint32(4, sequence);
  view.setUint8(12, 0x50);
  view.setUint8(13, flags);
  return header;
}

export function udp(sourcePort: number, destinationPort: number, payload = new Uint8Array(0)): Uint8Array {
  const header = new Uint8Array(8);
  const view = new DataView(header.buffer);
  view.setUint16(0, sourcePort);
  view.setUint16(2, destinationPort);
  view.setUint16(4, 8 + payload.length);
  return concat(header, payload);
}

export function icmp(type: number, code: number, id = 0): Uint8Array {
  const header = new Uint8Array(8);
  const view = new DataView(header.buffer);
  view.setUint8(0, type);
  view.setUint8(1, code);
  view.setUint16(4, id);
  return header;
}

export interface PcapOptions {
  littleEndian?: boolean;
  nanoseconds?: boolean;
  linkType?: number;
}

export function pcap(
  frames: { timeNs: bigint; length: number; bytes: Uint8Array }[],
  { littleEndian = true, nanoseconds = true, linkType = 1 }: PcapOptions = {},
): Uint8Array {
  const header = new Uint8Array(24);
  const view = new DataView(header.buffer);
  view.setUint32(0, nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, littleEndian);
  view.setUint16(4, 2, littleEndian);
  view.setUint16(6, 4, littleEndian);
  view.setUint32(16, 262_144, littleEndian);
  view.setUint32(20, linkType, littleEndian);
  const records = frames.map(({ timeNs, length, bytes }) => {
    const record = new Uint8Array(16);
    const of = new DataView(record.buffer);
    of.setUint32(0, Number(timeNs / 1_000_000_000n), littleEndian);
    of.setUint32(4, Number((timeNs % 1_000_000_000n) / (nanoseconds ? 1n : 1_000n)), littleEndian);
    of.setUint32(8, bytes.length, littleEndian);
    of.setUint32(12, length, littleEndian);
    return concat(record, bytes);
  });
  return concat(header, ...records);
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** With zeros at the end, until the length is `remainder` modulo `unit`. */
function pad(bytes: Uint8Array, unit: number, remainder = 0): Uint8Array {
  let length = bytes.length;
  while (length % unit !== remainder % unit) length++;
  const padded = new Uint8Array(length);
  padded.set(bytes);
  return padded;
}
