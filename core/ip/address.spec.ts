import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { expect, it } from 'vitest';
import { formatAddress, isAddress, parseAddress } from './address.ts';

it('reads every IPv4 address, and nothing else as one', () => {
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      expect([...parseAddress(text)]).toEqual(ipaddr.parse(text).toByteArray());
      expect(formatAddress(parseAddress(text))).toBe(text);
    }),
  );
  const near = fc.stringMatching(/^[0-9.]{0,16}$/);
  fc.assert(
    fc.property(near, (text) => {
      if (ipaddr.IPv4.isValidFourPartDecimal(text)) expect(isAddress(text)).toBe(true);
      else expect(() => parseAddress(text)).toThrow(RangeError);
    }),
    { numRuns: 2_000 },
  );
  for (const text of ['', '1.2.3', '1.2.3.4.5', '01.2.3.4', '1.2.3.256', '1..2.3', '1.2.3.4 ', '.1.2.3', '1.2.3.']) {
    expect(() => parseAddress(text), text).toThrow(RangeError);
  }
});
