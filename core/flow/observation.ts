import { vocabulary } from '../vocabulary/vocabulary.ts';

/** Where a packet was seen. Numbers and names as in Hubble's `flow.TraceObservationPoint`. */
export const OBSERVATION = {
  UNKNOWN: 0,
  TO_PROXY: 1,
  TO_HOST: 2,
  /** It left an endpoint: the observing endpoint is the packet's source. */
  TO_STACK: 3,
  TO_OVERLAY: 4,
  /** It entered an endpoint: the observing endpoint is the packet's destination. */
  TO_ENDPOINT: 101,
  FROM_ENDPOINT: 5,
  FROM_PROXY: 6,
  FROM_HOST: 7,
  FROM_STACK: 8,
  FROM_OVERLAY: 9,
  FROM_NETWORK: 10,
  TO_NETWORK: 11,
  FROM_CRYPTO: 12,
  TO_CRYPTO: 13,
  /** By a proxy that read a request or its answer: see layer7.ts. No number of Hubble's. */
  LAYER7: 190,
  /** At the socket, before and after an address was exchanged: 200 + Hubble's `SocketTranslationPoint`. See translation.ts. */
  PRE_XLATE_FWD: 201,
  POST_XLATE_FWD: 202,
  PRE_XLATE_REV: 203,
  POST_XLATE_REV: 204,
} as const;

export const observations = vocabulary('observation point', OBSERVATION);

/** Whether the observing endpoint is the destination; else it is the source. */
export function seenAtDestination(observation: number): boolean {
  return (
    observation === OBSERVATION.TO_ENDPOINT ||
    observation === OBSERVATION.PRE_XLATE_REV ||
    observation === OBSERVATION.POST_XLATE_REV
  );
}
