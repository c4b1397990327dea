/** A copy of the array with room for at least that many elements; the new ones are 0. */
export function grown<T extends Uint8Array | Uint32Array | Int32Array | Float32Array | Float64Array>(
  array: T,
  least: number,
): T {
  const larger = new (array.constructor as new (length: number) => T)(Math.max(array.length * 2, least));
  larger.set(array);
  return larger;
}
