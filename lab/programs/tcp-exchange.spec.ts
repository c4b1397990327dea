import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeRequest, HEADER_BYTES, MAX_MESSAGE_BYTES, RequestReader } from './tcp-exchange.ts';

const request = fc.record({
  length: fc.integer({ min: HEADER_BYTES, max: 3000 }),
  wanted: fc.integer({ min: 0, max: MAX_MESSAGE_BYTES }),
});

test('requests are found however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 5 }), fc.array(fc.integer({ min: 1, max: 900 })), (requests, cuts) => {
      let bytes = Buffer.concat(requests.map(({ length, wanted }) => encodeRequest(length, wanted)));
      const reader = new RequestReader();
      const found: number[] = [];
      for (const cut of [...cuts, bytes.length]) {
        found.push(...reader.read(bytes.subarray(0, cut)));
        bytes = bytes.subarray(cut);
      }
      expect(found).toEqual(requests.map(({ wanted }) => wanted));
    }),
  );
});

test.each([
  ['shorter than its own header', HEADER_BYTES - 1, 1],
  ['too long', MAX_MESSAGE_BYTES + 1, 1],
  ['wanting too much', HEADER_BYTES, MAX_MESSAGE_BYTES + 1],
])('a request %s is refused', (_what, length, wanted) => {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(length, 0);
  header.writeUInt32BE(wanted, 4);
  expect(() => new RequestReader().read(header)).toThrow(/out of range/);
});
