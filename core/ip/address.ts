/**
 * Bytes of an address in network order: 4 for IPv4 (also when written as IPv4-mapped IPv6), 16 for IPv6, whose zone does not
 * count. Throws RangeError for anything else.
 */
export function parseAddress(text: string): Uint8Array {
  const bytes = parseIPv4(text) ?? parseIPv6(withoutZone(text));
  if (bytes === undefined) throw new RangeError(`"${text}" is not an IP address`);
  return isMapped(bytes) ? bytes.slice(12) : bytes;
}

/** True for an IPv4 address in four decimal parts or an IPv6 address without zone. */
export function isAddress(text: string): boolean {
  return (parseIPv4(text) ?? parseIPv6(text)) !== undefined;
}

/** Text of 4 or 16 bytes in network order; RFC 5952 for IPv6, IPv4-mapped addresses as IPv4. Throws RangeError for other lengths. */
export function formatAddress(bytes: ArrayLike<number>): string {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  if (bytes.length !== 16) throw new RangeError(`an IP address has 4 or 16 bytes, not ${bytes.length}`);
  if (isMapped(bytes)) return `${bytes[12]}.${bytes[13]}.${bytes[14]}.${bytes[15]}`;
  const groups = Array.from({ length: GROUPS }, (_, at) => (bytes[2 * at] << 8) | bytes[2 * at + 1]);
  const { first, length } = longestZeros(groups);
  const words = (from: number, to?: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return length < 2 ? words(0) : `${words(0, first)}::${words(first + length)}`;
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

/**
 * Eight groups of one to four hexadecimal digits, one run of zeros as `::`, the last two groups maybe as an IPv4 address;
 * undefined for anything else.
 */
function parseIPv6(text: string): Uint8Array | undefined {
  if (text.length > LONGEST_IPV6 || !text.includes(':')) return undefined;
  const [head, tail, ...more] = text.split('::');
  if (more.length > 0) return undefined;
  const before = parseGroups(head, tail === undefined);
  const after = tail === undefined ? [] : parseGroups(tail, true);
  if (before === undefined || after === undefined) return undefined;
  const length = before.length + after.length;
  if (tail === undefined ? length !== 16 : length > 14) return undefined;
  const bytes = new Uint8Array(16);
  bytes.set(before);
  bytes.set(after, 16 - after.length);
  return bytes;
}

/** Two bytes for each group. `last`: of all, an IPv4 address may end it. */
function parseGroups(text: string, last: boolean): number[] | undefined {
  if (text === '') return [];
  const groups = text.split(':');
  const bytes: number[] = [];
  for (const [at, group] of groups.entries()) {
    const plain = last && at === groups.length - 1 ? parseIPv4(group) : undefined;
    if (plain !== undefined) bytes.push(...plain);
    else if (/^[0-9a-f]{1,4}$/i.test(group))
      bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff);
    else return undefined;
  }
  return bytes;
}

function withoutZone(text: string): string {
  return text.replace(/%[0-9a-z]+$/i, '');
}

/** Whether it is IPv4 in ::ffff:0:0/96. */
function isMapped(bytes: ArrayLike<number>): boolean {
  if (bytes.length !== 16 || bytes[10] !== 0xff || bytes[11] !== 0xff) return false;
  for (let at = 0; at < 10; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** The first of the longest runs of zeros. */
function longestZeros(groups: readonly number[]): { first: number; length: number } {
  let best = { first: 0, length: 0 };
  for (let first = 0; first < groups.length; first++) {
    let length = 0;
    while (groups[first + length] === 0) length++;
    if (length > best.length) best = { first, length };
    first += length;
  }
  return best;
}

const GROUPS = 8;
/** Six groups and an IPv4 address, all of their digits written out. */
const LONGEST_IPV6 = 45;
const DOT = 46;
const ZERO = 48;
