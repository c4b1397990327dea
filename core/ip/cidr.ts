import { formatAddress, isAddress, parseAddress } from './address.ts';

/** A range of addresses: those whose first `length` bits are `bytes`'. */
export interface Cidr {
  /** Canonical text: RFC 5952 address with the bits after the prefix zero, `/` and the length. Equal texts = equal ranges. */
  readonly text: string;
  /** 4 or 16 bytes in network order; bits after the prefix are zero. */
  readonly bytes: Uint8Array;
  /** 0..32 or 0..128 */
  readonly length: number;
}

/**
 * Reads `10.0.0.0/8`, `fd00::/64`, or an address alone as the range of one. Bits after the prefix are taken as zero, as
 * Kubernetes does. An IPv4-mapped IPv6 range is the IPv4 range. Undefined for anything else.
 */
export function parseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  if (!isAddress(address)) return undefined;
  const bytes = parseAddress(address);
  if (slash < 0) return cidrOf(bytes, bytes.length * 8);
  const written = text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d{0,2})$/.test(written)) return undefined;
  const mapped = bytes.length === 4 && address.includes(':') ? 96 : 0;
  const length = Number(written) - mapped;
  return length < 0 || length > bytes.length * 8 ? undefined : cidrOf(bytes, length);
}

/** The range of `length` bits around an address of 4 or 16 bytes. */
export function cidrOf(address: Uint8Array, length: number): Cidr {
  const bytes = address.map((byte, index) => byte & (0xff << Math.min(8, Math.max(0, 8 * (index + 1) - length))));
  return { text: `${formatAddress(bytes)}/${length}`, bytes, length };
}

/** True where the address (4 or 16 bytes, network order) lies in the range; never for one of the other family. */
export function cidrHas({ bytes, length }: Cidr, address: Uint8Array): boolean {
  if (address.length !== bytes.length) return false;
  const whole = length >> 3;
  for (let index = 0; index < whole; index++) if (address[index] !== bytes[index]) return false;
  const rest = length & 7;
  return rest === 0 || ((address[whole]! ^ bytes[whole]!) & (0xff << (8 - rest))) === 0;
}

/** True where every address of `inner` lies in `outer`. */
export function cidrCovers(outer: Cidr, inner: Cidr): boolean {
  return inner.length >= outer.length && cidrHas(outer, inner.bytes);
}
