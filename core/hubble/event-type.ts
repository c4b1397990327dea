import { vocabulary } from '../vocabulary/vocabulary.ts';

/** Kinds of monitor events: numbers of Hubble's `CiliumEventType.type`, names of the command line's `--type`. */
export const EVENT_TYPE = {
  DROP: 1,
  DEBUG: 2,
  CAPTURE: 3,
  TRACE: 4,
  POLICY_VERDICT: 5,
  TRACE_SOCK: 7,
  L7: 129,
  AGENT: 130,
} as const;

export const eventTypes = vocabulary('event type', EVENT_TYPE);
