import type { Logger } from '../log.ts';
import { Code, StatusError } from './service.ts';

/**
 * What a caller may learn about a failure. A StatusError is meant for it; anything else is a defect, whose text could carry
 * paths or addresses: it goes to the log, and the caller gets a plain INTERNAL.
 */
export function toStatusError(error: unknown, path: string, peer: string, log: Logger): StatusError {
  if (error instanceof StatusError) return error;
  log.error({ err: error, path, peer }, 'a service handler failed');
  return new StatusError(Code.INTERNAL, 'internal error; the server log says more');
}
