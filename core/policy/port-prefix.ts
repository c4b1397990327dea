/**
 * Protocol and port as the suffix of a longest-prefix key: no bits = every protocol, 8 = a protocol, 8 + n = the first n bits
 * of its ports. As one number: bits << 24 | protocol << 16 | port, the bits after the prefix zero.
 */
export type TransportKey = number;

export const EVERY_TRANSPORT: TransportKey = 0;
const PROTOCOL_BITS = 8;
export const FULL_BITS = 24;

/** @param bits 0, or 8..24 */
export function transportKey(protocol: number, port: number, bits: number): TransportKey {
  const value = ((protocol << 16) | port) & mask(bits);
  // Bits and value together take 29 bits: a small integer to the engine.
  return (bits << 24) | value;
}

/** 0, or 8..24. */
export function keyBits(key: TransportKey): number {
  return key >>> 24;
}

/** The protocol's number; 0 where the key is for all. */
export function keyProtocol(key: TransportKey): number {
  return (key >>> 16) & 0xff;
}

/** The first port of those it is for, host byte order. */
export function keyPort(key: TransportKey): number {
  return key & 0xffff;
}

/** The key with fewer bits that covers this one; undefined for the one that covers all. */
export function widerKey(key: TransportKey): TransportKey | undefined {
  const bits = keyBits(key);
  if (bits === 0) return undefined;
  const wider = bits === PROTOCOL_BITS ? 0 : bits - 1;
  return (wider << 24) | (key & 0xff_ffff & mask(wider));
}

/** The fewest keys that cover the ports first..last of a protocol and no others: at most 30. */
export function rangeKeys(protocol: number, first: number, last: number): TransportKey[] {
  const keys: TransportKey[] = [];
  let port = first;
  while (port <= last) {
    // As large a block as begins here and ends within the range.
    let size = port === 0 ? 65_536 : port & -port;
    while (port + size - 1 > last) size >>= 1;
    keys.push(transportKey(protocol, port, FULL_BITS - Math.log2(size)));
    port += size;
  }
  return keys;
}

function mask(bits: number): number {
  return bits === 0 ? 0 : (0xff_ffff << (FULL_BITS - bits)) & 0xff_ffff;
}
