import ipaddr from 'ipaddr.js';

/**
 * Bytes of an address in network order: 4 for IPv4 (also when written as IPv4-mapped IPv6), 16 for IPv6.
 * Throws RangeError for anything else.
 */
export function parseAddress(text: string): Uint8Array {
  const plain = parseIPv4(text);
  if (plain !== undefined) return plain;
  if (!ipaddr.IPv4.isValidFourPartDecimal(text) && !ipaddr.IPv6.isValid(text)) {
    throw new RangeError(`"${text}" is not an IP address`);
  }
  return Uint8Array.from(ipaddr.process(text).toByteArray());
}

/** True for an IPv4 address in four decimal parts or an IPv6 address without zone. */
export function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || (ipaddr.IPv6.isValid(text) && !text.includes('%'));
}

/** Text of 4 or 16 bytes in network order; RFC 5952 for IPv6, IPv4-mapped addresses as IPv4. */
export function formatAddress(bytes: ArrayLike<number>): string {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  const address = ipaddr.fromByteArray(Array.from(bytes));
  return address.kind() === 'ipv6' && (address as ipaddr.IPv6).isIPv4MappedAddress()
    ? (address as ipaddr.IPv6).toIPv4Address().toString()
    : (address as ipaddr.IPv6).toRFC5952String();
}

/** 4 for IPv4, 6 for IPv6, 0 for an empty text. */
export function ipVersion(address: string): 0 | 4 | 6 {
  return address === '' ? 0 : address.includes(':') ? 6 : 4;
}

/** Four decimal parts without leading zeros; undefined for anything else. By far the most frequent form, so it has a way of its own. */
function parseIPv4(text: string): Uint8Array | undefined {
  if (text.length > 15) return undefined;
  const bytes = new Uint8Array(4);
  let part = 0;
  let value = -1;
  for (let at = 0; at <= text.length; at++) {
    const code = at === text.length ? DOT : text.charCodeAt(at);
    if (code === DOT) {
      if (value < 0 || value > 255 || part > 3) return undefined;
      bytes[part++] = value;
      value = -1;
    } else if (code >= ZERO && code <= ZERO + 9 && value !== 0) value = Math.max(0, value) * 10 + code - ZERO;
    else return undefined;
  }
  return part === 4 ? bytes : undefined;
}

const DOT = 46;
const ZERO = 48;
