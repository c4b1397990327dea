/** The q-quantile (0..1) of the values, interpolated between neighbours. Throws for none: there is no number to tell. */
export function quantile(values: ArrayLike<number>, q: number): number {
  if (values.length === 0) throw new RangeError('a quantile of no values');
  if (!(q >= 0 && q <= 1)) throw new RangeError(`quantile ${q} is not within 0..1`);
  const sorted = Float64Array.from(values).sort();
  const at = q * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

export function median(values: ArrayLike<number>): number {
  return quantile(values, 0.5);
}

export interface Paired {
  /** Per round: the changed side over the base side. */
  readonly ratios: readonly number[];
  readonly base: readonly number[];
  readonly changed: readonly number[];
}

/**
 * Measures two ways in turns, `rounds` times: base, changed, changed, base, base, changed, ... Each round compares
 * neighbours in time, so a machine that slows down or speeds up meanwhile moves both; turning the order round cancels
 * what always hits the second one.
 */
export async function alternate(
  rounds: number,
  measure: { base(round: number): Promise<number> | number; changed(round: number): Promise<number> | number },
): Promise<Paired> {
  const base: number[] = [];
  const changed: number[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round % 2 === 0) {
      base.push(await measure.base(round));
      changed.push(await measure.changed(round));
    } else {
      changed.push(await measure.changed(round));
      base.push(await measure.base(round));
    }
  }
  return { base, changed, ratios: changed.map((value, round) => value / base[round]) };
}

/**
 * The bounds within which a median of these values lies with 95 % confidence (from order statistics, no distribution
 * assumed). With fewer than 6 values nothing narrower than their range can be said.
 */
export function medianInterval(values: readonly number[]): readonly [number, number] {
  const sorted = Float64Array.from(values).sort();
  const n = sorted.length;
  if (n === 0) throw new RangeError('an interval of no values');
  // Largest k with P(fewer than k of n coin throws are heads) <= 2.5 %.
  let below = 0;
  let probability = 0.5 ** n;
  let term = probability;
  while (probability <= 0.025) {
    below++;
    term = (term * (n - below + 1)) / below;
    probability += term;
  }
  const skip = Math.max(0, below - 1);
  return [sorted[skip], sorted[n - 1 - skip]];
}
