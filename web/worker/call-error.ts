/** Status codes of gRPC that mean something of their own here. */
export const CODE = {
  OK: 0,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** In place of a status code, where the server said none. */
export const NO_STATUS = {
  /** Nobody answered at all. */
  NO_ANSWER: -1,
  /** The connection ended before the call did. */
  BROKEN: -5,
  /** Nothing more came, and nothing said that it was over. */
  SILENT: -2,
  /** Somebody between page and server answered in its place. */
  INTERCEPTED: -3,
  /** Somebody between page and server lets nobody pass who has not signed in there. */
  SIGN_IN: -4,
} as const;

/** A call that ended with a status other than OK. `code` is of {@link CODE}, or another of gRPC's, or of {@link NO_STATUS}. */
export class CallError extends Error {
  override name = 'CallError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
