import { type Answer, encode } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDnsAnswer } from './read-answer.ts';

const response = (answers: Answer[], more: object = {}) =>
  encode({ type: 'response', id: 7, questions: [{ type: 'A', name: 'Bank.example' }], answers, ...more });
const a = (data: string, name = 'Bank.example'): Answer => ({ type: 'A', name, ttl: 30, data });

describe('an answer of a DNS server', () => {
  it('tells the addresses of what was asked for, aliases between them left out', () => {
    const message = response([
      { type: 'CNAME', name: 'Bank.example', ttl: 60, data: 'edge.cdn.example' },
      a('198.51.100.7', 'edge.cdn.example'),
      { type: 'AAAA', name: 'edge.cdn.example', ttl: 40, data: '2001:db8::7' },
      { type: 'TXT', name: 'edge.cdn.example', ttl: 40, data: 'x' },
    ]);
    expect(readDnsAnswer(message)).toEqual({
      name: 'bank.example',
      type: 1,
      rcode: 0,
      addresses: [
        { address: '198.51.100.7', ttlSeconds: 30 },
        { address: '2001:db8::7', ttlSeconds: 40 },
      ],
    });
  });

  it('tells that there is no such name', () => {
    expect(readDnsAnswer(response([], { flags: 3 }))).toMatchObject({ name: 'bank.example', rcode: 3, addresses: [] });
  });

  it('is read as far as it goes when it is cut off', () => {
    const whole = response([1, 2, 3].map((part) => a(`198.51.100.${part}`)));
    const records = Array.from({ length: whole.length + 1 }, (_, length) => readDnsAnswer(whole.subarray(0, length)));
    expect(new Set(records.map((record) => record?.addresses.length))).toEqual(new Set([undefined, 0, 1, 2, 3]));
    expect(records.at(-1)?.addresses).toHaveLength(3);
  });

  it('holds for no time where its time to live makes no sense', () => {
    const message = response([{ ...a('198.51.100.7'), ttl: 0xffff_ffff } as Answer]);
    expect(readDnsAnswer(message)?.addresses).toEqual([{ address: '198.51.100.7', ttlSeconds: 0 }]);
  });

  it.each<[string, Uint8Array]>([
    ['a question', encode({ type: 'query', id: 7, questions: [{ type: 'A', name: 'bank.example' }] })],
    ['an answer to nothing', encode({ type: 'response', id: 7, answers: [a('198.51.100.7')] })],
    [
      'an answer to two',
      response([], {
        questions: [
          { type: 'A', name: 'a.example' },
          { type: 'A', name: 'b.example' },
        ],
      }),
    ],
    ['a name with other characters', response([], { questions: [{ type: 'A', name: 'b<nk.example' }] })],
    ['the root', response([], { questions: [{ type: 'A', name: '.' }] })],
    ['other bytes', Uint8Array.from([1, 2, 3])],
  ])('is not %s', (_, message) => expect(readDnsAnswer(message)).toBeUndefined());

  it('may be anything at all', () => {
    const whole = response([a('198.51.100.7'), a('198.51.100.8', 'other.example')]);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(whole.length),
        (changes, length) => {
          const message = Uint8Array.from(whole);
          for (const [at, byte] of changes) message[at] = byte;
          const answer = readDnsAnswer(message.subarray(0, length));
          expect(answer?.name ?? 'a').toMatch(/^[a-z0-9._-]+$/);
        },
      ),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 512 }), (message) => {
        readDnsAnswer(message);
      }),
      { numRuns: 2_000 },
    );
  });
});
