/** Protobuf wire types that flows are made of. */
export const WIRE = { VARINT: 0, BYTES: 2 } as const;

/** A length of 128 to 16,383. */
const USUAL_LENGTH_BYTES = 2;

const encoder = new TextEncoder();

/** Bytes in protobuf's wire format, written one after the other into memory that is kept and grown. */
export class WireWriter {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 1_024) {
    this.bytes = new Uint8Array(capacity);
  }

  reset(): void {
    this.length = 0;
  }

  /** Makes room for `more` bytes. Single varints and tags rely on the caller having done so. */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + more));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  tag(field: number, wireType: number): void {
    this.varint((field << 3) | wireType);
  }

  /** An unsigned number below 2^53. */
  varint(value: number): void {
    while (value > 0x7fff_ffff) {
      this.bytes[this.length++] = (value % 128) | 0x80;
      value = Math.floor(value / 128);
    }
    while (value > 0x7f) {
      this.bytes[this.length++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    this.bytes[this.length++] = value;
  }

  /** A number field, left out when 0 as proto3 does. */
  number(field: number, value: number): void {
    if (value === 0) return;
    this.tag(field, WIRE.VARINT);
    this.varint(value);
  }

  /** Bytes as they are, not as a field. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    // For a few bytes a loop is faster than set().
    if (bytes.length > 24) {
      this.bytes.set(bytes, this.length);
      this.length += bytes.length;
      return;
    }
    for (let index = 0; index < bytes.length; index++) this.bytes[this.length++] = bytes[index];
  }

  /** A message, string or bytes field. */
  field(field: number, bytes: Uint8Array): void {
    this.reserve(bytes.length + 16);
    this.tag(field, WIRE.BYTES);
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** A message of at most some tens of bytes that another writer holds. */
  short(field: number, { bytes, length }: WireWriter): void {
    this.reserve(length + 16);
    this.tag(field, WIRE.BYTES);
    this.varint(length);
    for (let index = 0; index < length; index++) this.bytes[this.length++] = bytes[index];
  }

  /** Leaves room for the length of what is written from here on; returns what `endLength` is to be given. */
  beginLength(): number {
    this.reserve(USUAL_LENGTH_BYTES);
    this.length += USUAL_LENGTH_BYTES;
    return this.length;
  }

  /** Puts the length of what was written since `begin` before it. */
  endLength(begin: number): void {
    const written = this.length - begin;
    const taken = varintLength(written);
    if (taken !== USUAL_LENGTH_BYTES) {
      this.reserve(taken);
      this.bytes.copyWithin(begin - USUAL_LENGTH_BYTES + taken, begin, this.length);
    }
    this.length = begin - USUAL_LENGTH_BYTES;
    this.varint(written);
    this.length += written;
  }

  text(field: number, text: string): void {
    if (text !== '') this.field(field, encoder.encode(text));
  }

  /** A copy of what was written. */
  copy(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** How many bytes a number below 2^53 takes as a varint. */
export function varintLength(value: number): number {
  let length = 1;
  while (value > 0x7f) {
    value = Math.floor(value / 128);
    length++;
  }
  return length;
}

/** How many decimal digits a whole number below 2^53 has. */
export function digitsOf(value: number): number {
  let digits = 1;
  for (let left = value; left >= 10; left = Math.floor(left / 10)) digits++;
  return digits;
}
