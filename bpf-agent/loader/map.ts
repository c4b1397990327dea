/** An eBPF map with the manners of a JavaScript Map. Every call is one system call; nothing is cached. */
import { libbpf } from './libbpf.ts';
import { LoaderError } from './loader-error.ts';
import type { Codec } from './struct-codec.ts';

const ENOENT = 2;
const E2BIG = 7;
const ENOSPC = 28;
const BATCH = 2048;

export class BpfMap<K, V> {
  readonly name: string;
  readonly fd: number;
  readonly #key: Codec<K>;
  readonly #value: Codec<V>;
  readonly #keyBytes: Uint8Array;
  readonly #keyView: DataView;
  readonly #valueBytes: Uint8Array;
  readonly #valueView: DataView;

  constructor(name: string, fd: number, key: Codec<K>, value: Codec<V>) {
    this.name = name;
    this.fd = fd;
    this.#key = key;
    this.#value = value;
    this.#keyBytes = new Uint8Array(key.size);
    this.#keyView = new DataView(this.#keyBytes.buffer);
    this.#valueBytes = new Uint8Array(value.size);
    this.#valueView = new DataView(this.#valueBytes.buffer);
  }

  get(key: K): V | undefined {
    const error = libbpf().lookup(this.fd, this.#encodeKey(key), this.#valueBytes);
    if (error === -ENOENT) return undefined;
    this.#check(error, 'read');
    return this.#value.decode(this.#valueView);
  }

  has(key: K): boolean {
    return this.get(key) !== undefined;
  }

  /** @throws LoaderError `map-failed`, for one when the map is full. */
  set(key: K, value: V): this {
    this.#valueBytes.fill(0);
    this.#value.encode(value, this.#valueView);
    this.#check(libbpf().update(this.fd, this.#encodeKey(key), this.#valueBytes, 0), 'write');
    return this;
  }

  /** The same for many, in few system calls. When it throws, some of them may have been written. */
  setMany(entries: readonly (readonly [K, V])[]): void {
    const [keySize, valueSize] = [this.#key.size, this.#value.size];
    const keys = new Uint8Array(Math.min(BATCH, entries.length) * keySize);
    const values = new Uint8Array(Math.min(BATCH, entries.length) * valueSize);
    for (let from = 0; from < entries.length; from += BATCH) {
      const count = Math.min(BATCH, entries.length - from);
      for (let index = 0; index < count; index++) {
        const [key, value] = entries[from + index]!;
        keys.set(this.#encodeKey(key), index * keySize);
        this.#valueBytes.fill(0);
        this.#value.encode(value, this.#valueView);
        values.set(this.#valueBytes, index * valueSize);
      }
      this.#check(libbpf().updateBatch(this.fd, keys, values, Uint32Array.of(count), null), 'write');
    }
  }

  delete(key: K): boolean {
    const error = libbpf().remove(this.fd, this.#encodeKey(key));
    if (error === -ENOENT) return false;
    this.#check(error, 'delete from');
    return true;
  }

  clear(): void {
    for (const key of [...this.keys()]) this.delete(key);
  }

  /** Entries as they are while walking: what changes meanwhile may be missed or met twice. */
  *entries(): Generator<[K, V]> {
    for (const [key, value] of this.#walk()) yield [this.#key.decode(key), this.#value.decode(value)];
  }

  *keys(): Generator<K> {
    for (const [key] of this.#walk()) yield this.#key.decode(key);
  }

  *values(): Generator<V> {
    for (const [, value] of this.#walk()) yield this.#value.decode(value);
  }

  [Symbol.iterator](): Generator<[K, V]> {
    return this.entries();
  }

  /** Counted by walking the whole map. */
  get size(): number {
    let count = 0;
    for (const _ of this.#walk()) count++;
    return count;
  }

  /** Views of each entry, valid until the next step. In batches where the kernel can, else key by key. */
  *#walk(): Generator<[DataView, DataView]> {
    const keySize = this.#key.size;
    const valueSize = this.#value.size;
    const keys = new Uint8Array(BATCH * keySize);
    const values = new Uint8Array(BATCH * valueSize);
    const count = new Uint32Array(1);
    // The kernel's position: a bucket number for hashes, a key for others.
    let from: Uint8Array | null = null;
    let to = new Uint8Array(Math.max(4, keySize));
    for (;;) {
      count[0] = BATCH;
      const error = libbpf().lookupBatch(this.fd, from, to, keys, values, count, null);
      if (error < 0 && error !== -ENOENT) {
        // ENOSPC: one bucket holds more than a batch, which a sane hash does not; others: no batches for this map.
        if (error === -ENOSPC || from === null) return yield* this.#walkByKey();
        this.#check(error, 'walk');
      }
      for (let index = 0; index < count[0]!; index++) {
        yield [
          new DataView(keys.buffer, index * keySize, keySize),
          new DataView(values.buffer, index * valueSize, valueSize),
        ];
      }
      if (error === -ENOENT) return;
      const previous: Uint8Array | null = from;
      from = to;
      to = (previous as Uint8Array<ArrayBuffer> | null) ?? new Uint8Array(to.length);
    }
  }

  *#walkByKey(): Generator<[DataView, DataView]> {
    let key: Uint8Array | null = null;
    for (;;) {
      const next = new Uint8Array(this.#key.size);
      const error = libbpf().nextKey(this.fd, key, next);
      if (error === -ENOENT) return;
      this.#check(error, 'walk');
      key = next;
      const value = new Uint8Array(this.#value.size);
      if (libbpf().lookup(this.fd, next, value) === 0) yield [new DataView(next.buffer), new DataView(value.buffer)];
    }
  }

  #encodeKey(key: K): Uint8Array {
    this.#keyBytes.fill(0);
    this.#key.encode(key, this.#keyView);
    return this.#keyBytes;
  }

  #check(error: number, action: string): void {
    if (error === -E2BIG) throw new LoaderError('map-failed', `the eBPF map "${this.name}" is full`);
    if (error < 0) throw new LoaderError('map-failed', `cannot ${action} the eBPF map "${this.name}"`, -error);
  }
}

/** A map with a value per CPU: reading gives all of them. */
export class PerCpuMap<K, V> {
  readonly name: string;
  readonly #key: Codec<K>;
  readonly #value: Codec<V>;
  readonly #fd: number;
  readonly #values: Uint8Array;

  constructor(name: string, fd: number, key: Codec<K>, value: Codec<V>) {
    this.name = name;
    this.#fd = fd;
    this.#key = key;
    this.#value = value;
    this.#values = new Uint8Array(align8(value.size) * libbpf().possibleCpus());
  }

  get(key: K): V[] {
    const keyBytes = new Uint8Array(this.#key.size);
    this.#key.encode(key, new DataView(keyBytes.buffer));
    const error = libbpf().lookup(this.#fd, keyBytes, this.#values);
    if (error === -ENOENT) return [];
    if (error < 0) throw new LoaderError('map-failed', `cannot read the eBPF map "${this.name}"`, -error);
    const stride = align8(this.#value.size);
    const all: V[] = [];
    for (let at = 0; at < this.#values.length; at += stride) {
      all.push(this.#value.decode(new DataView(this.#values.buffer, at, this.#value.size)));
    }
    return all;
  }
}

function align8(size: number): number {
  return (size + 7) & ~7;
}
