/** Where the traffic server listens. All below the range clients are given. */
export const PORT = {
  /** Answers "N\n" with N bytes, then closes. */
  serve: 7000,
  /** Resets the connection upon its first byte. */
  reset: 7001,
  /** Reads to the end, answers how many bytes came, and closes. */
  sink: 7002,
  /** UDP: sends back what it got. */
  echo: 7003,
  /** UDP: says nothing. */
  silent: 7004,
  /** Listens and never accepts. */
  stalled: 7005,
  /** Nobody listens. */
  closed: 7009,
} as const;
