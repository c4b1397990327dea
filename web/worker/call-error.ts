/** The longest message that is read, in bytes. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** In place of a gRPC status code: nobody answered at all. */
export const NO_ANSWER = -1;

/** A call that ended with a status other than OK. `code` is the gRPC status code, or {@link NO_ANSWER}. */
export class CallError extends Error {
  override name = 'CallError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
