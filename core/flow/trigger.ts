import { vocabulary } from '../vocabulary/vocabulary.ts';

/** Why a record was made: the kernel aggregates, one record per event of a connection rather than per packet. */
export const TRIGGER = {
  UNKNOWN: 0,
  /** First packet of a connection, or of its reply direction. */
  FIRST_PACKET: 1,
  /** A TCP flag (SYN, FIN, RST) not seen before in this direction. */
  FLAG_CHANGE: 2,
  /** The connection is active and its last record is 5 s old. */
  INTERVAL: 3,
  /** Both sides closed it, or one reset it. */
  CLOSE: 4,
  /** Nothing was heard for the protocol's time-out. */
  IDLE_END: 5,
  /** The packet was dropped. */
  DROP: 6,
  /** A Service's address was exchanged for a backend's at the socket, or back. */
  TRANSLATION: 7,
} as const;

export const triggers = vocabulary('trigger', TRIGGER);
