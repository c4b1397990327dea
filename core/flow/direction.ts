import { vocabulary } from '../vocabulary/vocabulary.ts';

/**
 * The connection's direction as the observing endpoint sees it, also for replies. Numbers and names as in Hubble's
 * `flow.TrafficDirection`.
 */
export const DIRECTION = { UNKNOWN: 0, INGRESS: 1, EGRESS: 2 } as const;

export const directions = vocabulary('direction', DIRECTION);

/** Values of the `reply` column. */
export const REPLY = { ORIGINAL: 0, REPLY: 1, UNKNOWN: 2 } as const;
