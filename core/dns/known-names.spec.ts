import { describe, expect, it } from 'vitest';
import { KnownNames, readableName } from './known-names.ts';

const HOUR = 3_600_000;
const names = (known: KnownNames, scope: string, address = '198.51.100.7') => known.get(scope, address)?.names;

describe('names of addresses', () => {
  it('are known to those who asked, and to nobody else', () => {
    const known = new KnownNames();
    known.learn('shop', '198.51.100.7', 'bank.example', 30, 0);
    expect(names(known, 'shop')).toEqual(['bank.example']);
    expect(names(known, 'payroll')).toBeUndefined();
    expect(names(known, 'shop', '198.51.100.8')).toBeUndefined();
    expect(known.size).toBe(1);
  });

  it('stay in the order in which they came, however often they are said again', () => {
    const known = new KnownNames();
    for (const name of ['b.example', 'a.example', 'b.example']) known.learn('shop', '198.51.100.7', name, 30, 0);
    const { revision } = known;
    known.learn('shop', '198.51.100.7', 'a.example', 300, 1_000);
    expect(names(known, 'shop')).toEqual(['b.example', 'a.example']);
    expect(known.revision).toBe(revision);
  });

  it('are four of one address at most: those that hold longest', () => {
    const known = new KnownNames();
    for (let at = 1; at <= 5; at++) known.learn('shop', '198.51.100.7', `n${at}.example`, at === 2 ? 1 : 60, at);
    expect(names(known, 'shop')).toEqual(['n1.example', 'n3.example', 'n4.example', 'n5.example']);
  });

  it('hold for their time to live and an hour, or as long as they are used', () => {
    const known = new KnownNames();
    known.learn('shop', '198.51.100.7', 'bank.example', 60, 0);
    known.learn('shop', '198.51.100.8', 'news.example', 0xffff_ffff, 0);
    known.expire(HOUR + 59_000);
    expect(names(known, 'shop')).toEqual(['bank.example']);
    known.get('shop', '198.51.100.7')!.usedMs = HOUR + 59_000;
    known.expire(HOUR + 60_000);
    expect(names(known, 'shop')).toEqual(['bank.example']);
    const { revision } = known;
    known.expire(2 * HOUR + 60_000);
    expect(names(known, 'shop')).toBeUndefined();
    expect(known.revision).toBeGreaterThan(revision);
    expect(known.size).toBe(1);
    // No time to live is longer than a day.
    known.expire(26 * HOUR);
    expect(known.size).toBe(0);
  });

  it('are bounded: who knows most forgets what was said longest ago, and it is counted', () => {
    const known = new KnownNames(4);
    known.learn('payroll', '198.51.100.7', 'bank.example', 30, 0);
    for (let at = 1; at <= 50; at++) known.learn('shop', `203.0.113.${at}`, `n${at}.example`, 30, at);
    expect(known.size).toBe(4);
    expect(known.evicted).toBe(47);
    expect(names(known, 'payroll')).toEqual(['bank.example']);
    expect([47, 48, 49, 50].map((at) => names(known, 'shop', `203.0.113.${at}`))).toEqual([
      undefined,
      ['n48.example'],
      ['n49.example'],
      ['n50.example'],
    ]);
    const one = new KnownNames(1);
    one.learn('shop', '203.0.113.1', 'a.example', 30, 0);
    one.learn('shop', '203.0.113.2', 'b.example', 30, 0);
    expect([one.size, names(one, 'shop', '203.0.113.2')]).toEqual([1, ['b.example']]);
  });
});

describe('a name that can be shown', () => {
  it.each([
    ['Bank.Example.', 'bank.example'],
    ['_sip._udp.example', '_sip._udp.example'],
    ['a'.repeat(63), 'a'.repeat(63)],
  ])('%s', (text, expected) => expect(readableName(text)).toBe(expected));

  it.each([
    '',
    '.',
    'a..b',
    'a'.repeat(64),
    `${'abcdefg.'.repeat(32)}com`,
    'bänk.example',
    'a b',
    'a\u001b[31m',
    'x/y',
    '<b>',
  ])('is not %j', (text) => expect(readableName(text)).toBeUndefined());
});
