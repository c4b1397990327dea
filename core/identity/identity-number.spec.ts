import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocateIdentities, identityNumber, isLabelIdentity, rememberingIdentityNumber } from './identity-number.ts';

describe('the number a label set asks for', () => {
  it('is 0x40000000 plus the first 30 bits of SHA-256', () => {
    const first = createHash('sha256').update('["lab","shop"]').digest().readUInt32BE(0);
    expect(identityNumber('["lab","shop"]')).toBe(0x4000_0000 + (first >>> 2));
  });

  it('lies between 0x40000000 and 0x7fffffff at every attempt', () => {
    fc.assert(fc.property(fc.string(), fc.nat(9), (text, attempt) => isLabelIdentity(identityNumber(text, attempt))));
  });

  it('changes with the attempt', () => {
    expect(identityNumber('a', 1)).not.toBe(identityNumber('a'));
    expect(identityNumber('a', 2)).not.toBe(identityNumber('a', 1));
  });

  it('is the same when remembered', () => {
    const remembering = rememberingIdentityNumber();
    for (let turn = 0; turn < 2; turn++) {
      for (let i = 0; i < 20_000; i++)
        if (i % 997 === 0) expect(remembering(`set ${i}`)).toBe(identityNumber(`set ${i}`));
    }
    expect(remembering('x', 3)).toBe(identityNumber('x', 3));
  });
});

describe('allocation over all label sets', () => {
  const crowded = (text: string, attempt = 0) => (identityNumber(text, attempt) % 64) + attempt * 64;

  it('gives what each asks for when nothing collides', () => {
    const numbers = allocateIdentities(['b', 'a', 'c', 'a']);
    expect([...numbers]).toEqual(['a', 'b', 'c'].map((text) => [text, identityNumber(text)]));
  });

  it('lets the text that sorts first keep a contested number', () => {
    const numbers = allocateIdentities(['zebra', 'ant', 'bee'], (_, attempt = 0) => 7 + attempt);
    expect(numbers).toEqual(
      new Map([
        ['ant', 7],
        ['bee', 8],
        ['zebra', 9],
      ]),
    );
  });

  it('never gives one number to two, and depends only on the set of texts', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { maxLength: 80 }), fc.infiniteStream(fc.double()), (texts, keys) => {
        const numbers = allocateIdentities(texts, crowded);
        expect(new Set(numbers.values()).size).toBe(texts.length);
        const shuffled = texts
          .map((text) => [keys.next().value, text] as const)
          .sort((a, b) => a[0] - b[0])
          .map(([, text]) => text);
        expect(allocateIdentities([...shuffled, ...texts], crowded)).toEqual(numbers);
      }),
    );
  });
});
