import { allocateColumns, type FlowColumns } from './columns.ts';
import { FLOW_FIELD_NAMES, FLOW_FIELDS } from './fields.ts';

/**
 * Rows on the wire, column by column.
 *
 *     version 1 byte (1) · number of fields varint · rows varint · one block per field in table order
 *     block = mode 1 byte · its body
 *       CONSTANT     value varint                              every row is the same
 *       OFFSET_n     least value varint, then n bytes LE each  value - least
 *       VARINT       one varint each
 *       DELTA        one zigzag varint each                    difference to the row before (the first: to 0)
 *
 * Varints are unsigned LEB128 of safe integers. The encoder takes whichever is shortest for the column at hand, which
 * needs one pass over it. A reader skips nothing: fields it does not know cannot be sent to it, because a stream is
 * between builds that agree on the version; fields missing at the end read as 0.
 */
const VERSION = 1;
const MODE = { CONSTANT: 0, OFFSET_1: 1, OFFSET_2: 2, OFFSET_3: 3, OFFSET_4: 4, VARINT: 5, DELTA: 6 } as const;

/** Most rows one batch may hold. */
export const MAX_BATCH_ROWS = 65_536;

/** The bytes were not a batch that this build can read. */
export class FlowDecodeError extends Error {
  readonly code = 'FLOW_DECODE';
  override name = 'FlowDecodeError';
}

type NumberArray = FlowColumns[keyof FlowColumns];

/** Encodes rows [from, to) of the columns. The caller's columns are not wrapped: to >= from. */
export function encodeColumns(columns: FlowColumns, from: number, to: number): Uint8Array {
  const rows = to - from;
  if (rows < 0 || rows > MAX_BATCH_ROWS) throw new RangeError(`a batch holds 0 to ${MAX_BATCH_ROWS} rows, not ${rows}`);
  const writer = new Writer(rows * 96 + 512);
  writer.byte(VERSION);
  writer.varint(FLOW_FIELD_NAMES.length);
  writer.varint(rows);
  if (rows === 0) return writer.bytes();
  for (const name of FLOW_FIELD_NAMES)
    encodeColumn(writer, columns[name], from, to, FLOW_FIELDS[name].shape === 'rising');
  return writer.bytes();
}

function encodeColumn(writer: Writer, values: NumberArray, from: number, to: number, rising: boolean): void {
  const rows = to - from;
  let least = values[from];
  let most = least;
  let varintBytes = 0;
  let deltaBytes = 0;
  let before = 0;
  for (let row = from; row < to; row++) {
    const value = values[row];
    if (value < least) least = value;
    else if (value > most) most = value;
    if (rising) {
      deltaBytes += varintLength(zigzag(value - before));
      before = value;
    } else {
      varintBytes += varintLength(value);
    }
  }
  writer.reserve(rows * 10 + 16);
  if (least === most) {
    writer.byte(MODE.CONSTANT);
    writer.varint(least);
    return;
  }
  const range = most - least;
  const width = range <= 0xff ? 1 : range <= 0xffff ? 2 : range <= 0xffffff ? 3 : range <= 0xffffffff ? 4 : 9;
  const offsetBytes = rows * width + varintLength(least);
  if (rising && deltaBytes < offsetBytes) {
    writer.byte(MODE.DELTA);
    before = 0;
    for (let row = from; row < to; row++) {
      writer.varint(zigzag(values[row] - before));
      before = values[row];
    }
  } else if ((!rising && varintBytes < offsetBytes) || width > 4) {
    writer.byte(MODE.VARINT);
    for (let row = from; row < to; row++) writer.varint(values[row]);
  } else {
    writer.byte(width);
    writer.varint(least);
    for (let row = from; row < to; row++) writer.fixed(values[row] - least, width);
  }
}

/** Decodes a batch into columns of exactly its number of rows. Throws FlowDecodeError; allocates only for rows <= the limit. */
export function decodeColumns(bytes: Uint8Array): { rows: number; columns: FlowColumns } {
  const reader = new Reader(bytes);
  const version = reader.byte();
  if (version !== VERSION)
    throw new FlowDecodeError(`batch version ${version} is not one this build reads (${VERSION})`);
  const fields = reader.varint();
  if (fields > FLOW_FIELD_NAMES.length) {
    throw new FlowDecodeError(`batch has ${fields} fields, this build knows ${FLOW_FIELD_NAMES.length}`);
  }
  const rows = reader.varint();
  if (rows > MAX_BATCH_ROWS) throw new FlowDecodeError(`batch announces ${rows} rows, the limit is ${MAX_BATCH_ROWS}`);
  const columns = allocateColumns(rows);
  if (rows > 0)
    for (let field = 0; field < fields; field++) decodeColumn(reader, columns[FLOW_FIELD_NAMES[field]], rows);
  if (!reader.atEnd) throw new FlowDecodeError('batch has bytes after its last column');
  return { rows, columns };
}

function decodeColumn(reader: Reader, into: NumberArray, rows: number): void {
  const mode = reader.byte();
  switch (mode) {
    case MODE.CONSTANT:
      into.fill(reader.varint());
      return;
    case MODE.OFFSET_1:
    case MODE.OFFSET_2:
    case MODE.OFFSET_3:
    case MODE.OFFSET_4: {
      const least = reader.varint();
      reader.need(rows * mode);
      for (let row = 0; row < rows; row++) into[row] = least + reader.fixed(mode);
      return;
    }
    case MODE.VARINT:
      for (let row = 0; row < rows; row++) into[row] = reader.varint();
      return;
    case MODE.DELTA: {
      let value = 0;
      for (let row = 0; row < rows; row++) {
        value += unzigzag(reader.varint());
        if (value < 0 || value > Number.MAX_SAFE_INTEGER) throw new FlowDecodeError('batch holds a number beyond 2^53');
        into[row] = value;
      }
      return;
    }
    default:
      throw new FlowDecodeError(`unknown column mode ${mode}`);
  }
}

/** Signed to unsigned with small magnitudes small; arithmetic rather than bit operations, as values pass 2^32. */
function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value;
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function varintLength(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  if (value < 0x10000000) return 4;
  let length = 4;
  for (let rest = Math.floor(value / 0x10000000); rest > 0; rest = Math.floor(rest / 128)) length++;
  return length;
}

class Writer {
  #buffer: Uint8Array;
  #at = 0;

  constructor(capacity: number) {
    this.#buffer = new Uint8Array(capacity);
  }

  /** Makes room for that many more bytes, so that the writes themselves need not check. */
  reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#at + bytes));
    grown.set(this.#buffer);
    this.#buffer = grown;
  }

  byte(value: number): void {
    this.#buffer[this.#at++] = value;
  }

  varint(value: number): void {
    let rest = value;
    while (rest >= 0x10000000) {
      this.#buffer[this.#at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest >= 0x80) {
      this.#buffer[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#buffer[this.#at++] = rest;
  }

  fixed(value: number, width: number): void {
    this.#buffer[this.#at++] = value;
    if (width > 1) this.#buffer[this.#at++] = value >>> 8;
    if (width > 2) this.#buffer[this.#at++] = value >>> 16;
    if (width > 3) this.#buffer[this.#at++] = value >>> 24;
  }

  /** A copy of what was written. */
  bytes(): Uint8Array {
    return this.#buffer.slice(0, this.#at);
  }
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  need(bytes: number): void {
    if (this.#at + bytes > this.#bytes.length) throw new FlowDecodeError('batch ends inside a column');
  }

  byte(): number {
    this.need(1);
    return this.#bytes[this.#at++];
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let length = 0; length < 8; length++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
      scale *= 128;
    }
    throw new FlowDecodeError('batch holds a number beyond 2^53');
  }

  /** `need` was called for the whole run. */
  fixed(width: number): number {
    let value = this.#bytes[this.#at++];
    if (width > 1) value += this.#bytes[this.#at++] * 0x100;
    if (width > 2) value += this.#bytes[this.#at++] * 0x10000;
    if (width > 3) value += this.#bytes[this.#at++] * 0x1000000;
    return value;
  }
}
