import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { type GivenFlag, hubbleFilters } from '#core/observe/hubble-filter.ts';
import type { GetFlowsRequestSchema } from '#proto/gen/observer/observer_pb.ts';
import { InvalidValueError } from '#runtime/settings/parsers.ts';
import { flowFilters } from './export-settings.ts';
import { CommandError, MISUSE } from './failure.ts';

/** Flags that say which of the flows that pass the filters are asked for. */
export interface Selectors {
  follow: boolean;
  last?: number;
  first?: number;
  all: boolean;
  since?: Timestamp;
  until?: Timestamp;
  allowlist?: string[];
  denylist?: string[];
}

type Request = MessageInitShape<typeof GetFlowsRequestSchema>;

/** Past flows of every node where nothing says how many. */
export const DEFAULT_LAST = 20;
const EVERYTHING = 0xffff_ffff_ffff_ffffn;

/**
 * What an observer is asked for. `hubble observe` asks for the same, but of `--until` with `--follow`, which it leaves out.
 * @throws CommandError, HubbleFlagError: the flags make no question
 */
export function hubbleRequest(flags: Selectors, given: readonly GivenFlag[]): Request {
  const { follow, since, until } = flags;
  // Of none is as if it was not said, as with the real command.
  const first = flags.first || undefined;
  const selectors = [flags.all && '--all', first !== undefined && '--first', flags.last && '--last'];
  const several = selectors.filter((name) => typeof name === 'string');
  if (several.length > 1) throw new CommandError(`${several.join(' and ')} exclude each other`, MISUSE);
  if (first !== undefined && follow) throw new CommandError('--first cannot be followed: leave out --follow', MISUSE);
  const { whitelist, blacklist } = hubbleFilters(given);
  const all = follow || since !== undefined || until !== undefined;
  const last = flags.last || (all ? 0 : DEFAULT_LAST);
  return {
    follow,
    since,
    until,
    first: first !== undefined,
    number: flags.all ? EVERYTHING : BigInt(first ?? last),
    whitelist: [...whitelist, ...rawFilters('allowlist', flags.allowlist)],
    blacklist: [...blacklist, ...rawFilters('denylist', flags.denylist)],
  };
}

function rawFilters(name: string, texts: readonly string[] = []) {
  return texts.flatMap((text) => {
    try {
      return flowFilters(text);
    } catch (error) {
      if (!(error instanceof InvalidValueError)) throw error;
      throw new CommandError(`--${name}: expected ${error.expected}`, MISUSE);
    }
  });
}
