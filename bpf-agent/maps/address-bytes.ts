/** Addresses as the datapath keys them: 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. */

const IPV4_PREFIX_BITS = 96;

/** @param address 4 or 16 bytes, network order. */
export function toDatapathAddress(address: Uint8Array): Uint8Array {
  if (address.length === 16) return address;
  if (address.length !== 4) throw new RangeError(`an address has 4 or 16 bytes, not ${address.length}`);
  const mapped = new Uint8Array(16);
  mapped[10] = 0xff;
  mapped[11] = 0xff;
  mapped.set(address, 12);
  return mapped;
}

/** The prefix length in bits of the 16-byte form. */
export function toDatapathPrefix(address: Uint8Array, prefixLength: number): number {
  return address.length === 4 ? IPV4_PREFIX_BITS + prefixLength : prefixLength;
}
