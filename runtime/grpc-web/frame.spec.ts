import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Code, StatusError } from '../grpc/service.ts';
import { messageFrame, percentEncode, readRequest, trailersFrame } from './frame.ts';
import { decodeText, encodeText } from './text-encoding.ts';
import { parseTimeout } from './timeout.ts';

const anyBytes = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

function codeOf(run: () => unknown): number | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(StatusError);
    return (error as StatusError).code;
  }
}

describe('a request body', () => {
  test('gives back the message put in, with or without trailers after it', () => {
    fc.assert(
      fc.property(anyBytes, fc.boolean(), (message, trailers) => {
        const frames = trailers ? [messageFrame(message), trailersFrame(Code.OK, '')] : [messageFrame(message)];
        expect(readRequest(Buffer.concat(frames), 1_000)).toEqual(message);
      }),
    );
  });

  test('of any bytes is a message or a status, never a crash', () => {
    fc.assert(
      fc.property(anyBytes, (body) => {
        const code = codeOf(() => readRequest(body, 100));
        expect([undefined, Code.INVALID_ARGUMENT, Code.RESOURCE_EXHAUSTED, Code.UNIMPLEMENTED]).toContain(code);
      }),
    );
  });

  test.for<[string, Buffer, number]>([
    ['nothing', Buffer.alloc(0), Code.INVALID_ARGUMENT],
    ['half a header', Buffer.from([0, 0, 0]), Code.INVALID_ARGUMENT],
    ['less than it announces', Buffer.from([0, 0, 0, 0, 9, 1]), Code.INVALID_ARGUMENT],
    ['more than the limit announced', Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), Code.RESOURCE_EXHAUSTED],
    ['a compressed message', Buffer.from([1, 0, 0, 0, 0]), Code.UNIMPLEMENTED],
    ['unknown flags', Buffer.from([4, 0, 0, 0, 0]), Code.INVALID_ARGUMENT],
    ['two messages', Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), Code.INVALID_ARGUMENT],
    ['trailers alone', trailersFrame(Code.OK, ''), Code.INVALID_ARGUMENT],
  ])('of %s is refused', ([, body, code]) => {
    expect(codeOf(() => readRequest(body, 1_000))).toBe(code);
  });
});

describe('a status message', () => {
  test('travels as printable ASCII in one line and comes back whole', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (message) => {
        const encoded = percentEncode(message);
        expect(encoded).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeURIComponent(encoded)).toBe(message);
      }),
    );
  });

  test('cannot add header lines', () => {
    const frame = trailersFrame(Code.INTERNAL, 'x\r\ngrpc-status: 0');
    expect(frame.subarray(5).toString()).toBe('grpc-status: 13\r\ngrpc-message: x%0D%0Agrpc-status: 0\r\n');
    expect(frame[0]).toBe(0x80);
    expect(frame.readUInt32BE(1)).toBe(frame.length - 5);
  });
});

describe('text mode', () => {
  test('gives back the bytes of pieces padded one by one', () => {
    fc.assert(
      fc.property(fc.array(anyBytes, { maxLength: 5 }), (pieces) => {
        expect(decodeText(Buffer.concat(pieces.map(encodeText)))).toEqual(Buffer.concat(pieces));
      }),
    );
  });

  test.for(['A', 'AAA', 'AA=A', '=AAA', 'A===', 'AA A', 'AA-_', 'AAAA====', '\u00ff\u00ff\u00ff\u00ff'])(
    'refuses %o',
    (text) => {
      expect(codeOf(() => decodeText(Buffer.from(text, 'latin1')))).toBe(Code.INVALID_ARGUMENT);
    },
  );

  test('of any characters is bytes or a status', () => {
    fc.assert(
      fc.property(anyBytes, (body) => [undefined, Code.INVALID_ARGUMENT].includes(codeOf(() => decodeText(body)) as 3)),
    );
  });
});

test('timeouts are read in every unit', () => {
  expect(['1H', '2M', '3S', '250m', '1000u', '5000000n', '99999999H', undefined].map(parseTimeout)).toEqual([
    3_600_000,
    120_000,
    3_000,
    250,
    1,
    5,
    2 ** 31 - 1,
    undefined,
  ]);
  for (const bad of ['', '5', '-1S', '123456789S', '1s', '1 S']) {
    expect(codeOf(() => parseTimeout(bad))).toBe(Code.INVALID_ARGUMENT);
  }
});
