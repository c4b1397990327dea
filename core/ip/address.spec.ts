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

/** As browsers and Node.js know them, another implementation: undefined for what is none. */
function known(text: string): string | undefined {
  try {
    return new URL(`http://[${text}]`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
}

it('reads and writes every IPv6 address, shortened by RFC 5952', () => {
  const groups = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  });
  fc.assert(
    fc.property(groups, (eight) => {
      const long = eight.map((group) => group.toString(16).padStart(4, '0')).join(':');
      const bytes = eight.flatMap((group) => [group >> 8, group & 0xff]);
      expect([...parseAddress(long)]).toEqual(bytes);
      expect(formatAddress(bytes)).toBe(known(long));
      expect([...parseAddress(formatAddress(bytes).toUpperCase())]).toEqual(bytes);
    }),
    { numRuns: 2_000 },
  );
  expect([...parseAddress('::ffff:10.0.0.1')]).toEqual([10, 0, 0, 1]);
  expect(formatAddress(new Uint8Array([...new Uint8Array(10), 0xff, 0xff, 10, 0, 0, 1]))).toBe('10.0.0.1');
  expect([...parseAddress('64:ff9b::192.0.2.33').slice(12)]).toEqual([192, 0, 2, 33]);
});

it('reads nothing else as an IPv6 address', () => {
  const near = fc.oneof(
    fc.stringMatching(/^[0-9a-fA-F:]{0,20}$/),
    fc.stringMatching(/^(::)?([0-9a-fA-F]{0,5}:){0,8}(::?)?([0-9a-fA-F]{0,5}|1\.2\.3\.4)?$/),
  );
  fc.assert(
    fc.property(near, (text) => {
      expect(text.includes(':') && isAddress(text), text).toBe(known(text) !== undefined);
    }),
    { numRuns: 5_000 },
  );
  for (const text of [
    '',
    ':',
    ':::',
    '1::2::3',
    '::1:',
    ':1::',
    '1:2:3:4:5:6:7::8',
    '12345::',
    '1.2.3.4::',
    '::1.2.3',
    '::g',
    '[::1]',
    ' ::1',
  ])
    expect(isAddress(text), text).toBe(false);
});

it('reads an address with its zone, which is no plain address', () => {
  expect([...parseAddress('fe80::1%eth0')]).toEqual([...parseAddress('fe80::1')]);
  expect(isAddress('fe80::1%eth0')).toBe(false);
  expect(() => parseAddress('fe80::1%')).toThrow(RangeError);
  expect(() => parseAddress('10.0.0.1%eth0')).toThrow(RangeError);
});
