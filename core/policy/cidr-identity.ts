import { type Cidr, cidrCovers, cidrHas } from '../ip/cidr.ts';
import type { CidrMatch } from './policy.ts';

/**
 * Numbers for the ranges that policies tell addresses apart by. They are local to a node, carry bit 24, and stay with their
 * range while it is in use. An address is known by the number of the longest range that has it.
 */
export const CIDR_IDENTITY = 0x0100_0000;
/** Set beside bit 24 in a policy map's key for the address of a pod or node: only `ipBlock` is about those. */
export const OF_CLUSTER = 0x0200_0000;

export type CidrIdentities = ReadonlyMap<string, CidrIdentity>;

export interface CidrIdentity {
  readonly cidr: Cidr;
  /** CIDR_IDENTITY | 1..0xff_ffff */
  readonly number: number;
}

/**
 * Numbers for `cidrs`; a range of `previous` keeps its own. Ranges that are no longer asked for lose theirs, so the kernel must
 * have stopped using them before their numbers are given anew: pass what it still holds among `cidrs` until then.
 */
export function assignCidrIdentities(cidrs: ReadonlyMap<string, Cidr>, previous: CidrIdentities): CidrIdentities {
  const identities = new Map<string, CidrIdentity>();
  const taken = new Set<number>();
  for (const text of cidrs.keys()) {
    const kept = previous.get(text);
    if (kept === undefined) continue;
    identities.set(text, kept);
    taken.add(kept.number);
  }
  let next = CIDR_IDENTITY + 1;
  for (const [text, cidr] of [...cidrs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (identities.has(text)) continue;
    while (taken.has(next)) next++;
    if (next >= CIDR_IDENTITY * 2) throw new RangeError('more than 16 million CIDRs in policies');
    identities.set(text, { cidr, number: next });
    taken.add(next);
  }
  return identities;
}

/** The number of the longest range that has the address; 0 = none has it. */
export function cidrIdentityOf(identities: CidrIdentities, address: Uint8Array): number {
  let longest = -1;
  let found = 0;
  for (const { cidr, number } of identities.values()) {
    if (cidr.length <= longest || !cidrHas(cidr, address)) continue;
    longest = cidr.length;
    found = number;
  }
  return found;
}

/**
 * The ranges whose addresses a rule's CIDR matches. Exact because `cidr` and each of `except` are ranges of the table
 * themselves: an address known by a range lies in none of the longer ones, so it lies where its range lies.
 */
export function matchedRanges({ cidr, except }: CidrMatch, identities: CidrIdentities): number[] {
  const numbers: number[] = [];
  for (const range of identities.values()) {
    if (!cidrCovers(cidr, range.cidr) || except.some((excepted) => cidrCovers(excepted, range.cidr))) continue;
    numbers.push(range.number);
  }
  return numbers;
}
