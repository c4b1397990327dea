import type { EdgeLive } from '../../graph/live.ts';
import type { ArrowVerdict } from '../../graph/model.ts';
import { QUIET_ALPHA } from '../../graph/quiet.ts';
import { type Palette, verdictColor } from './palette.ts';

/** `near`: at a card in question; `aside`: not in question; `chosen`: the arrow itself is. */
export type Emphasis = 'near' | 'aside' | 'chosen' | undefined;

/** One stroke of an arrow. A verdict is told by the dash as well as by the colour. */
export interface Stroke {
  readonly color: string;
  /** Lengths of dash and gap, in map units; empty = one line. */
  readonly dash: readonly number[];
  readonly offset: number;
}

export interface ArrowLook {
  readonly strokes: readonly Stroke[];
  readonly tip: string;
  readonly width: number;
  readonly alpha: number;
  /** Greater ones are drawn over lesser ones. */
  readonly rank: number;
}

/** How a verdict is drawn beside its colour: dash and gap. `mixed` is a long dash and a short one, in two colours. */
export const VERDICT_DASH: Record<ArrowVerdict, readonly number[]> = {
  forwarded: [],
  dropped: [6, 5],
  mixed: [14, 4, 3, 4],
  audit: [2, 4],
  quiet: [],
  permitted: [3, 4],
  open: [],
};

const RANKS: Record<ArrowVerdict, number> = {
  quiet: 0,
  open: 1,
  permitted: 2,
  forwarded: 3,
  audit: 4,
  mixed: 5,
  dropped: 6,
};

/** On a dense map the usual arrows step back, so that drops stand out. */
export function arrowLook(live: EdgeLive | undefined, emphasis: Emphasis, dense: boolean, palette: Palette): ArrowLook {
  const verdict = live?.verdict ?? 'quiet';
  const color = verdictColor(palette, verdict);
  return {
    strokes: verdict === 'mixed' ? mixedStrokes(palette) : [{ color, dash: VERDICT_DASH[verdict], offset: 0 }],
    tip: color,
    width: live?.width ?? 1.25,
    alpha: alphaOf(verdict, live?.quiet ?? 0, emphasis, dense),
    rank: RANKS[verdict] + (emphasis === undefined ? 0 : { aside: -10, near: 10, chosen: 20 }[emphasis]),
  };
}

function mixedStrokes(palette: Palette): Stroke[] {
  const [long, gap, short, last] = VERDICT_DASH.mixed;
  return [
    { color: palette.forwarded, dash: [long, gap + short + last], offset: 0 },
    { color: palette.dropped, dash: [short, last + long + gap], offset: -(long + gap) },
  ];
}

function alphaOf(verdict: ArrowVerdict, quiet: number, emphasis: Emphasis, dense: boolean): number {
  if (emphasis === 'near' || emphasis === 'chosen') return 1;
  if (emphasis === 'aside') return 0.14;
  if (verdict === 'open') return dense ? 0.35 : 0.55;
  if (verdict === 'quiet') return 0.45 * QUIET_ALPHA[quiet];
  return verdict === 'forwarded' ? (dense ? 0.5 : 0.85) : 0.95;
}
