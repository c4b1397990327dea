/** Reads the classic pcap format (tcpdump -w): a header, then frames with their time and original length. */

export class PcapError extends Error {
  override readonly name = 'PcapError';
}

export interface CapturedFrame {
  /** Wall clock in nanoseconds since 1970. */
  readonly timeNs: bigint;
  /** Length on the wire in bytes; more than `bytes` holds when the capture cut it. */
  readonly length: number;
  readonly bytes: Uint8Array;
}

const FILE_HEADER_BYTES = 24;
const FRAME_HEADER_BYTES = 16;
const LINKTYPE_ETHERNET = 1;
/** tcpdump's own limit; a larger one means the file is not what it seems. */
const MAX_FRAME_BYTES = 262_144;

/** Frames in file order. Throws PcapError, saying where, for anything but a whole Ethernet capture. */
export function* readPcap(file: Uint8Array): Generator<CapturedFrame> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < FILE_HEADER_BYTES) throw new PcapError(`a file of ${file.length} bytes holds no pcap header`);
  const { littleEndian, fractionNs } = byteOrder(view);
  const linkType = view.getUint32(20, littleEndian) & 0xffff;
  if (linkType !== LINKTYPE_ETHERNET) throw new PcapError(`link type ${linkType}: only Ethernet (1) is read`);
  let at = FILE_HEADER_BYTES;
  while (at < file.length) {
    if (at + FRAME_HEADER_BYTES > file.length) throw new PcapError(`the file ends within the frame header at ${at}`);
    const seconds = view.getUint32(at, littleEndian);
    const fraction = view.getUint32(at + 4, littleEndian);
    const captured = view.getUint32(at + 8, littleEndian);
    const length = view.getUint32(at + 12, littleEndian);
    if (captured > length || captured > MAX_FRAME_BYTES) {
      throw new PcapError(`the frame at ${at} says it holds ${captured} of ${length} bytes`);
    }
    const start = at + FRAME_HEADER_BYTES;
    if (start + captured > file.length) throw new PcapError(`the file ends within the frame at ${at}`);
    yield {
      timeNs: BigInt(seconds) * 1_000_000_000n + BigInt(fraction) * fractionNs,
      length,
      bytes: file.subarray(start, start + captured),
    };
    at = start + captured;
  }
}

function byteOrder(view: DataView): { littleEndian: boolean; fractionNs: bigint } {
  for (const littleEndian of [true, false]) {
    const magic = view.getUint32(0, littleEndian);
    if (magic === 0xa1b2c3d4) return { littleEndian, fractionNs: 1_000n };
    if (magic === 0xa1b23c4d) return { littleEndian, fractionNs: 1n };
  }
  throw new PcapError(`magic number ${view.getUint32(0, false).toString(16)} is not pcap's`);
}
