import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, pcap } from './frame-builder.ts';
import { PcapError, readPcap } from './pcap-file.ts';

const frames = fc.array(
  fc.record({
    timeNs: fc.bigInt({ min: 0n, max: 2n ** 32n * 1_000_000_000n - 1n }),
    bytes: fc.uint8Array({ maxLength: 200 }),
    cut: fc.nat({ max: 70_000 }),
  }),
  { maxLength: 8 },
);

describe('a pcap file', () => {
  test('is read as it was written, in every byte order and precision', () => {
    fc.assert(
      fc.property(frames, fc.boolean(), fc.boolean(), (written, littleEndian, nanoseconds) => {
        const input = written.map(({ timeNs, bytes, cut }) => ({
          timeNs: nanoseconds ? timeNs : (timeNs / 1_000n) * 1_000n,
          bytes,
          length: bytes.length + cut,
        }));
        const read = [...readPcap(pcap(input, { littleEndian, nanoseconds }))];
        expect(read.map((frame) => ({ ...frame, bytes: Uint8Array.from(frame.bytes) }))).toEqual(input);
      }),
    );
  });

  test('is read from the middle of a larger buffer', () => {
    const file = pcap([{ timeNs: 7n, bytes: Uint8Array.of(1, 2), length: 2 }]);
    const within = concat(Uint8Array.of(0, 0, 0), file).subarray(3);
    expect([...readPcap(within)]).toHaveLength(1);
  });

  test('cut anywhere gives whole frames only, or says where it ends', () => {
    const file = pcap([
      { timeNs: 1n, bytes: new Uint8Array(60), length: 60 },
      { timeNs: 2n, bytes: new Uint8Array(40), length: 40 },
    ]);
    const whole = [24, 24 + 76, 24 + 76 + 56];
    for (let length = 0; length <= file.length; length++) {
      const read = () => [...readPcap(file.subarray(0, length))];
      if (whole.includes(length)) expect(read()).toHaveLength(whole.indexOf(length));
      else expect(read).toThrow(PcapError);
    }
  });

  test('of anything else is refused', () => {
    expect(() => [...readPcap(new Uint8Array(24))]).toThrow(/magic number/);
    expect(() => [...readPcap(pcap([], { linkType: 113 }))]).toThrow(/link type 113/);
    expect(() => [...readPcap(pcap([{ timeNs: 0n, bytes: new Uint8Array(8), length: 4 }]))]).toThrow(/8 of 4 bytes/);
  });
});
