import type { Algorithm } from './service.ts';

/** Most slots of one frontend: what the kernel's maps hold for it. */
export const MOST_SLOTS = 16_381;
/** Primes, as Maglev asks for; the first that gives each backend about a hundred slots is taken. */
const TABLE_SIZES = [251, 1021, 4093, MOST_SLOTS];
const SLOTS_PER_BACKEND = 100;

export interface Weighted {
  /** Names it on every node and after every change: the hash goes by it. */
  readonly name: string;
  /** Relative; 0 = no slot. */
  readonly weight: number;
}

/**
 * Which backend stands in which slot: a connection takes a slot at random, or its client's. Indexes into `backends`; empty when
 * none has a weight.
 */
export function slotsOf(backends: readonly Weighted[], algorithm: Algorithm): number[] {
  const taking = backends.flatMap(({ weight }, index) => (weight > 0 ? [index] : []));
  if (taking.length === 0) return [];
  return algorithm === 'maglev' ? maglev(backends, taking) : repeated(backends, taking);
}

/** Each as often as its weight says, in lowest terms. */
function repeated(backends: readonly Weighted[], taking: readonly number[]): number[] {
  const divisor = taking.map((index) => backends[index]!.weight).reduce(greatestCommonDivisor);
  const sum = taking.reduce((total, index) => total + backends[index]!.weight / divisor, 0);
  const scale = Math.min(1, MOST_SLOTS / sum);
  return taking.flatMap((index) => {
    const times = Math.max(1, Math.floor((backends[index]!.weight / divisor) * scale));
    return new Array<number>(times).fill(index);
  });
}

/**
 * Maglev's table (Eisenbud et al., NSDI 2016): each backend walks the slots in an order of its own and takes the next free one, in
 * turn, as often as its weight says.
 */
function maglev(backends: readonly Weighted[], taking: readonly number[]): number[] {
  const size = TABLE_SIZES.find((candidate) => candidate >= taking.length * SLOTS_PER_BACKEND) ?? MOST_SLOTS;
  const most = Math.max(...taking.map((index) => backends[index]!.weight));
  // In the order of their names, so that every node that knows the same backends makes the same table.
  const walkers = [...taking]
    .sort((a, b) => (backends[a]!.name < backends[b]!.name ? -1 : 1))
    .map((index) => ({
      index,
      next: hash(backends[index]!.name, 0) % size,
      skip: (hash(backends[index]!.name, 1) % (size - 1)) + 1,
      weight: backends[index]!.weight,
      credit: 0,
    }));
  const table = new Array<number>(size).fill(-1);
  for (let filled = 0; filled < size; ) {
    for (const walker of walkers) {
      walker.credit += walker.weight;
      if (walker.credit < most) continue;
      walker.credit -= most;
      while (table[walker.next] !== -1) walker.next = (walker.next + walker.skip) % size;
      table[walker.next] = walker.index;
      if (++filled === size) break;
    }
  }
  return table;
}

/** FNV-1a, finished as MurmurHash3 does. */
function hash(text: string, seed: number): number {
  let value = 0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1);
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  value ^= value >>> 16;
  value = Math.imul(value, 0x85ebca6b);
  value ^= value >>> 13;
  value = Math.imul(value, 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
