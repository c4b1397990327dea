import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../ip/address.ts';
import { type Cidr, cidrHas, cidrOf, parseCidr } from '../ip/cidr.ts';
import { assignCidrIdentities, CIDR_IDENTITY, cidrIdentityOf, matchedRanges } from './cidr-identity.ts';

function table(...texts: string[]): Map<string, Cidr> {
  return new Map(texts.map((text) => [parseCidr(text)!.text, parseCidr(text)!]));
}

describe('numbers for ranges', () => {
  it('stay with their range while it is in use, and are given again after', () => {
    const before = assignCidrIdentities(table('10.0.0.0/8', '192.0.2.0/24', 'fd00::/64'), new Map());
    expect([...before.values()].map(({ number }) => number - CIDR_IDENTITY)).toEqual([1, 2, 3]);
    const after = assignCidrIdentities(table('192.0.2.0/24', '0.0.0.0/0', '198.51.100.0/24'), before);
    expect(after.get('192.0.2.0/24')).toBe(before.get('192.0.2.0/24'));
    expect(new Set([...after.values()].map(({ number }) => number)).size).toBe(3);
    expect(after.get('0.0.0.0/0')?.number).toBe(before.get('10.0.0.0/8')?.number);
  });

  it('do not depend on the order of ranges', () => {
    const texts = ['10.0.0.0/8', '::/0', '192.0.2.0/24'];
    expect(assignCidrIdentities(table(...texts), new Map())).toEqual(
      assignCidrIdentities(table(...texts.toReversed()), new Map()),
    );
  });

  it('name an address by the longest range that has it', () => {
    const identities = assignCidrIdentities(
      table('0.0.0.0/0', '10.0.0.0/8', '10.1.0.0/16', '2001:db8::/32'),
      new Map(),
    );
    const of = (address: string) => {
      const number = cidrIdentityOf(identities, parseAddress(address));
      return [...identities].find(([, identity]) => identity.number === number)?.[0];
    };
    expect(['10.1.2.3', '10.2.3.4', '192.0.2.1', '2001:db8::1', '2001:db9::1'].map(of)).toEqual([
      '10.1.0.0/16',
      '10.0.0.0/8',
      '0.0.0.0/0',
      '2001:db8::/32',
      undefined,
    ]);
  });

  it('tell of every address whether a CIDR with exceptions has it', () => {
    // Few bits, so that ranges keep lying in each other.
    const near = fc.uint8Array({ minLength: 4, maxLength: 4, max: 3 });
    const range = fc.tuple(near, fc.integer({ min: 0, max: 32 })).map(([bytes, length]) => cidrOf(bytes, length));
    fc.assert(
      fc.property(range, fc.array(range), fc.array(range), near, (cidr, exceptions, others, address) => {
        const except = exceptions.map((each) => cidrOf(each.bytes, Math.max(each.length, cidr.length)));
        const inside = except.filter((each) => cidrHas(cidr, each.bytes));
        const all = new Map([cidr, ...inside, ...others].map((each) => [each.text, each]));
        const identities = assignCidrIdentities(all, new Map());
        const matched = matchedRanges({ kind: 'cidr', cidr, except: inside, cluster: false }, identities);
        const expected = cidrHas(cidr, address) && !inside.some((each) => cidrHas(each, address));
        expect(matched.includes(cidrIdentityOf(identities, address))).toBe(expected);
      }),
      { numRuns: 500 },
    );
  });
});
