import { formatAddress } from '#core/ip/address.ts';

/**
 * What a frame says, read by a parser that shares nothing with the one in the kernel: the fidelity test compares the two.
 */
export interface Packet {
  readonly source: string;
  readonly destination: string;
  /** Of the transport header, extension headers skipped. */
  readonly protocol: number;
  /** ICMP: type and code. 0 where there are none, and in fragments after the first. */
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly tcpFlags: number;
  /** TCP's sequence number; 0 elsewhere. */
  readonly sequence: number;
  /** ICMP echo: the identifier. */
  readonly echoId?: number;
  readonly fragment?: Fragment;
  /** Frame length less the Ethernet header. */
  readonly bytes: number;
}

export interface Fragment {
  /** Identification: 16 bits in IPv4, 32 in IPv6. */
  readonly id: number;
  /** It carries the transport header. */
  readonly first: boolean;
}

export type ParsedFrame =
  | { readonly kind: 'packet'; readonly packet: Packet }
  /** What keeps the network running and is neither flow nor policed. */
  | { readonly kind: 'housekeeping'; readonly what: 'ARP' | 'NDP' | 'MLD' | 'IGMP' }
  | { readonly kind: 'other'; readonly etherType: number }
  | { readonly kind: 'unreadable'; readonly why: string };

const ETHERNET_BYTES = 14;
const ETHERTYPE_IPV4 = 0x0800;
const ETHERTYPE_ARP = 0x0806;
const ETHERTYPE_IPV6 = 0x86dd;

const ICMP = 1;
const IGMP = 2;
const TCP = 6;
const UDP = 17;
const FRAGMENT = 44;
const AUTHENTICATION = 51;
const ICMPV6 = 58;
const SCTP = 132;
/** Hop-by-hop, routing, destination options, mobility, HIP, shim6: next header, then length in 8 bytes less one. */
const OPTION_HEADERS = [0, 43, 60, 135, 139, 140];

/** Never throws: what cannot be read says why. */
export function parseFrame(bytes: Uint8Array, length: number): ParsedFrame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < ETHERNET_BYTES) return unreadable('no Ethernet header');
  const etherType = view.getUint16(12);
  switch (etherType) {
    case ETHERTYPE_ARP:
      return { kind: 'housekeeping', what: 'ARP' };
    case ETHERTYPE_IPV4:
      return parseIpv4(view, length);
    case ETHERTYPE_IPV6:
      return parseIpv6(view, length);
    default:
      return { kind: 'other', etherType };
  }
}

function parseIpv4(view: DataView, length: number): ParsedFrame {
  const ip = ETHERNET_BYTES;
  if (view.byteLength < ip + 20) return unreadable('IPv4 header cut');
  const headerBytes = (view.getUint8(ip) & 0x0f) * 4;
  if (view.getUint8(ip) >> 4 !== 4 || headerBytes < 20) return unreadable('IPv4 header malformed');
  const flagsAndOffset = view.getUint16(ip + 6);
  const fragment =
    flagsAndOffset & 0x3fff ? { id: view.getUint16(ip + 4), first: (flagsAndOffset & 0x1fff) === 0 } : undefined;
  return parseTransport(view, ip + headerBytes, {
    source: addressAt(view, ip + 12, 4),
    destination: addressAt(view, ip + 16, 4),
    protocol: view.getUint8(ip + 9),
    fragment,
    bytes: length - ETHERNET_BYTES,
  });
}

function parseIpv6(view: DataView, length: number): ParsedFrame {
  const ip = ETHERNET_BYTES;
  if (view.byteLength < ip + 40) return unreadable('IPv6 header cut');
  if (view.getUint8(ip) >> 4 !== 6) return unreadable('IPv6 header malformed');
  let protocol = view.getUint8(ip + 6);
  let fragment: Fragment | undefined;
  let at = ip + 40;
  while (OPTION_HEADERS.includes(protocol) || protocol === FRAGMENT || protocol === AUTHENTICATION) {
    if (view.byteLength < at + 8) return unreadable('IPv6 extension header cut');
    const next = view.getUint8(at);
    let headerBytes = (view.getUint8(at + 1) + 1) * 8;
    if (protocol === FRAGMENT) {
      headerBytes = 8;
      const offsetAndMore = view.getUint16(at + 2);
      const first = (offsetAndMore & 0xfff8) === 0;
      // Offset 0 and no more to come: an "atomic fragment", a whole packet for all purposes.
      if (!first || offsetAndMore & 1) fragment = { id: view.getUint32(at + 4), first };
    } else if (protocol === AUTHENTICATION) {
      headerBytes = (view.getUint8(at + 1) + 2) * 4;
    }
    protocol = next;
    at += headerBytes;
    if (fragment && !fragment.first) break;
  }
  return parseTransport(view, at, {
    source: addressAt(view, ip + 8, 16),
    destination: addressAt(view, ip + 24, 16),
    protocol,
    fragment,
    bytes: length - ETHERNET_BYTES,
  });
}

type NetworkPart = Pick<Packet, 'source' | 'destination' | 'protocol' | 'fragment' | 'bytes'>;

function parseTransport(view: DataView, at: number, network: NetworkPart): ParsedFrame {
  const packet = { ...network, sourcePort: 0, destinationPort: 0, tcpFlags: 0, sequence: 0 };
  if (network.fragment && !network.fragment.first) return { kind: 'packet', packet };
  const room = view.byteLength - at;
  const ports = () => ({ sourcePort: view.getUint16(at), destinationPort: view.getUint16(at + 2) });
  switch (network.protocol) {
    case IGMP:
      return network.source.includes(':') ? { kind: 'packet', packet } : { kind: 'housekeeping', what: 'IGMP' };
    case TCP:
      if (room < 20) return unreadable('TCP header cut');
      return {
        kind: 'packet',
        packet: { ...packet, ...ports(), sequence: view.getUint32(at + 4), tcpFlags: view.getUint8(at + 13) },
      };
    case UDP:
      return room < 8 ? unreadable('UDP header cut') : { kind: 'packet', packet: { ...packet, ...ports() } };
    case SCTP:
      return room < 12 ? unreadable('SCTP header cut') : { kind: 'packet', packet: { ...packet, ...ports() } };
    case ICMP:
    case ICMPV6: {
      if (room < 8) return unreadable('ICMP header cut');
      const type = view.getUint8(at);
      if (network.protocol === ICMPV6 && type >= 133 && type <= 137) return { kind: 'housekeeping', what: 'NDP' };
      if (network.protocol === ICMPV6 && ((type >= 130 && type <= 132) || type === 143)) {
        return { kind: 'housekeeping', what: 'MLD' };
      }
      const echo = isEcho(network.protocol, type) ? { echoId: view.getUint16(at + 4) } : {};
      return {
        kind: 'packet',
        packet: { ...packet, sourcePort: type, destinationPort: view.getUint8(at + 1), ...echo },
      };
    }
    default:
      return { kind: 'packet', packet };
  }
}

function isEcho(protocol: number, type: number): boolean {
  return protocol === ICMP ? type === 8 || type === 0 : type === 128 || type === 129;
}

function addressAt(view: DataView, at: number, length: number): string {
  return formatAddress(new Uint8Array(view.buffer, view.byteOffset + at, length));
}

function unreadable(why: string): ParsedFrame {
  return { kind: 'unreadable', why };
}
