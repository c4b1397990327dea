import { Code, StatusError } from '#runtime/grpc/service.ts';
import { address } from '#runtime/settings/parsers.ts';
import { setting } from '#runtime/settings/setting.ts';
import { CommandError } from './failure.ts';

/** Where a relay listens, and is asked, unless it is said. */
export const DEFAULT_RELAY = '127.0.0.1:4245';

/** Whom the reading commands ask: the relay, or one agent. */
export const serverSetting = setting<string>({
  flags: '--server <address>',
  description: 'the relay, or one agent, to ask',
  parser: address,
  default: DEFAULT_RELAY,
});

/** The error with the next step, where nobody answers at that address. */
export function relayFailure(error: unknown, server: string): unknown {
  if (!(error instanceof StatusError)) return error;
  if (error.code !== Code.UNAVAILABLE && error.code !== Code.DEADLINE_EXCEEDED) return error;
  // Which address that was is said already.
  const reason = /\((E[A-Z]+)\)$/.exec(error.message)?.[1] ?? error.message;
  return new CommandError(
    `nothing answers at ${server} (${reason}): start "waggle backend" or "waggle demo", or name another relay with --server`,
  );
}
