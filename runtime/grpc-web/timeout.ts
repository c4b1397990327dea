import { Code, StatusError } from '../grpc/service.ts';

const UNIT_MS: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };
// The longest a timer can wait.
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds from a `grpc-timeout` header (`10S`, `250m`); undefined without one. Throws {@link StatusError}. */
export function parseTimeout(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const match = /^(\d{1,8})([HMSmun])$/.exec(header);
  if (match === null)
    throw new StatusError(Code.INVALID_ARGUMENT, 'grpc-timeout: expected up to 8 digits and one of H M S m u n');
  return Math.min(Number(match[1]) * UNIT_MS[match[2]!]!, MAX_TIMER_MS);
}
