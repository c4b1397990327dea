import { BpfMap } from '../loader/map.ts';
import { bytes, type Codec, u32 } from '../loader/struct-codec.ts';
import { toDatapathAddress, toDatapathPrefix } from './address-bytes.ts';
import type { StructTwin } from './struct-layout.ts';

/** Twin of `struct prefix_key` (bpf/identity.h). */
interface PrefixKey {
  /** Bits of the 16-byte form. */
  readonly prefixLength: number;
  readonly address: Uint8Array;
}

export const PREFIX_KEY_TWIN: StructTwin = {
  struct: 'prefix_key',
  size: 20,
  fields: { prefixLength: [0, 4], address: [4, 16] },
};

const prefixKey: Codec<PrefixKey> = {
  size: PREFIX_KEY_TWIN.size,
  encode: (value, into) => {
    into.setUint32(0, value.prefixLength, true);
    new Uint8Array(into.buffer, into.byteOffset + 4, 16).set(value.address);
  },
  decode: (from) => ({
    prefixLength: from.getUint32(0, true),
    address: new Uint8Array(from.buffer, from.byteOffset + 4, 16).slice(),
  }),
};

/**
 * Address → security identity. An exact address wins over the longest CIDR, which wins over the world (2).
 * Addresses are 4 or 16 bytes in network order. Changes reach connections already in the table once
 * `DatapathStateMap.bumpIdentityRevision` is called.
 */
export class IdentityMap {
  /** Exact addresses, as 16-byte keys. */
  readonly exact: BpfMap<Uint8Array, number>;
  readonly #prefixes: BpfMap<PrefixKey, number>;

  constructor(exactFd: number, prefixFd: number) {
    this.exact = new BpfMap('identities', exactFd, bytes(16), u32);
    this.#prefixes = new BpfMap('prefixes', prefixFd, prefixKey, u32);
  }

  setAddress(address: Uint8Array, identity: number): void {
    this.exact.set(toDatapathAddress(address), identity);
  }

  deleteAddress(address: Uint8Array): boolean {
    return this.exact.delete(toDatapathAddress(address));
  }

  setPrefix(address: Uint8Array, prefixLength: number, identity: number): void {
    this.#prefixes.set(keyOf(address, prefixLength), identity);
  }

  deletePrefix(address: Uint8Array, prefixLength: number): boolean {
    return this.#prefixes.delete(keyOf(address, prefixLength));
  }

  /** Every CIDR, in the 16-byte form. */
  prefixes(): Generator<[PrefixKey, number]> {
    return this.#prefixes.entries();
  }
}

function keyOf(address: Uint8Array, prefixLength: number): PrefixKey {
  return { address: toDatapathAddress(address), prefixLength: toDatapathPrefix(address, prefixLength) };
}
