/** How a fixed-size C value is written to and read from bytes. Integers in host byte order (little-endian). */
export interface Codec<T> {
  /** In bytes. */
  readonly size: number;
  encode(value: T, into: DataView): void;
  decode(from: DataView): T;
}

export const u32: Codec<number> = {
  size: 4,
  encode: (value, into) => into.setUint32(0, value, true),
  decode: (from) => from.getUint32(0, true),
};

export const u64: Codec<bigint> = {
  size: 8,
  encode: (value, into) => into.setBigUint64(0, value, true),
  decode: (from) => from.getBigUint64(0, true),
};

/** Raw bytes: decoded as a copy. */
export function bytes(size: number): Codec<Uint8Array> {
  return {
    size,
    encode: (value, into) => new Uint8Array(into.buffer, into.byteOffset, size).set(value),
    decode: (from) => new Uint8Array(from.buffer, from.byteOffset, size).slice(),
  };
}
