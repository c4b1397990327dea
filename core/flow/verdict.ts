import { vocabulary } from '../vocabulary/vocabulary.ts';

/** What became of the packet. Numbers and names as in Hubble's `flow.Verdict`. */
export const VERDICT = {
  UNKNOWN: 0,
  FORWARDED: 1,
  DROPPED: 2,
  ERROR: 3,
  AUDIT: 4,
  REDIRECTED: 5,
  TRACED: 6,
  TRANSLATED: 7,
} as const;

export const verdicts = vocabulary('verdict', VERDICT);
