import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from './address.ts';
import { cidrCovers, cidrHas, cidrOf, parseCidr } from './cidr.ts';

describe('a range of addresses', () => {
  it.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['FD00:0:0::1/64', 'fd00::/64'],
    ['fd00::1', 'fd00::1/128'],
    ['::/0', '::/0'],
    ['::ffff:10.1.2.3/104', '10.0.0.0/8'],
  ])('%s is read as %s', (text, canonical) => {
    expect(parseCidr(text)?.text).toBe(canonical);
  });

  it.each([
    '',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0/8',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    'fd00::/129',
    'fd00::%1/64',
    'a/8',
  ])('%j is none', (text) => expect(parseCidr(text)).toBeUndefined());

  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  const bitsOf = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');

  it('has an address whose first bits are its own, and no other', () => {
    fc.assert(
      fc.property(address, address, fc.nat(128), fc.nat(128), (base, other, bits, flip) => {
        const length = Math.min(bits, base.length * 8);
        const cidr = cidrOf(base, length);
        // Also one that differs by a single bit, or random addresses would hardly ever be near.
        const near = base.map((byte, index) => (index === flip >> 3 ? byte ^ (0x80 >> (flip & 7)) : byte));
        for (const candidate of [base, near, other]) {
          const expected =
            candidate.length === base.length && bitsOf(candidate).slice(0, length) === bitsOf(base).slice(0, length);
          expect(cidrHas(cidr, candidate)).toBe(expected);
        }
      }),
    );
  });

  it('covers exactly the ranges that begin with it', () => {
    fc.assert(
      fc.property(address, fc.nat(128), fc.nat(128), (base, a, b) => {
        const most = base.length * 8;
        const [outer, inner] = [cidrOf(base, Math.min(a, most)), cidrOf(base, Math.min(b, most))];
        expect(cidrCovers(outer, inner)).toBe(outer.length <= inner.length);
      }),
    );
    expect(cidrCovers(parseCidr('10.0.0.0/8')!, parseCidr('11.0.0.0/16')!)).toBe(false);
    expect(cidrCovers(parseCidr('::/0')!, parseCidr('10.0.0.0/8')!)).toBe(false);
    expect(formatAddress(parseAddress('10.0.0.1'))).toBe('10.0.0.1');
  });
});
