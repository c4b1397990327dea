import type { EdgeVerdict } from '../../graph/model.ts';

/** How a verdict is drawn beside its colour: lengths of dash and gap, in map units. Empty = one line. */
export const VERDICT_DASH: Record<EdgeVerdict, number[]> = {
  forwarded: [],
  dropped: [6, 5],
  mixed: [14, 4, 3, 4],
  audit: [2, 5],
  quiet: [],
};
