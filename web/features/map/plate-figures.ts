import { formatMicros, formatRate, formatShare } from '../../format/quantity.ts';
import type { CardLive } from '../../graph/live.ts';
import type { SceneCard } from '../../graph/scene.ts';
import { passedShare } from './door-figures.ts';

/** What all that a plate's cards receive comes to. */
export interface PlateFigures {
  /** `142/s` */
  readonly rate: string;
  /** `99.8%` */
  readonly share: string;
  readonly isHurt: boolean;
  /** `0.3 ms`: of answers where they are told, else round trips; empty where neither is known. */
  readonly time: string;
}

interface Sums {
  rate: number;
  tries: number;
  passed: number;
  timed: number;
  micros: number;
}

/** By plate; none for those that receive nothing. */
export function plateFigures(
  cards: readonly SceneCard[],
  live: ReadonlyMap<string, CardLive>,
): ReadonlyMap<string, PlateFigures> {
  const sums = new Map<string, Sums>();
  for (const { key, plate } of cards) {
    if (plate === '') continue;
    const sum = sums.get(plate) ?? { rate: 0, tries: 0, passed: 0, timed: 0, micros: 0 };
    sums.set(plate, sum);
    const { doors = [], rest } = live.get(key) ?? {};
    for (const door of rest === undefined ? doors : [...doors, rest]) {
      const { verdict, rate, tries, p99Micros, rttMicros } = door;
      if (verdict === 'quiet' || rate === 0) continue;
      sum.rate += rate;
      sum.tries += tries;
      sum.passed += tries * passedShare(door);
      const micros = p99Micros || rttMicros;
      if (micros === 0) continue;
      sum.timed += rate;
      sum.micros += rate * micros;
    }
  }
  return new Map(
    [...sums].flatMap(([plate, { rate, tries, passed, timed, micros }]) => {
      if (rate === 0) return [];
      const share = tries === 0 ? 1 : passed / tries;
      const figures = {
        rate: formatRate(rate),
        share: formatShare(share > 0.99999 ? 1 : share),
        isHurt: share <= 0.99999,
        time: timed === 0 ? '' : formatMicros(micros / timed),
      };
      return [[plate, figures] as const];
    }),
  );
}
