import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { Command } from 'commander';
import { OUTPUTS, type Output } from '#core/observe/flow-printer.ts';
import { type GivenFlag, HubbleFlagError } from '#core/observe/hubble-filter.ts';
import { TIME_FORMATS, type TimeFormat } from '#core/observe/time-format.ts';
import type { GetFlowsResponse } from '#proto/gen/observer/observer_pb.ts';
import { count, oneOf, path } from '#runtime/settings/parsers.ts';
import { addSettings, setting } from '#runtime/settings/setting.ts';
import { CommandError, complain, MISUSE } from './failure.ts';
import { asksOwnFilters, filterOptions, filterTokens, flagsWithoutToken, noteFilters } from './observe-flags.ts';
import { DEFAULT_LAST, hubbleRequest, type Selectors } from './observe-request.ts';
import type { Responses } from './observe-sources.ts';
import { pointInTime } from './observe-time.ts';
import { type RedactionFlags, redactionOf, redactionSettings } from './redaction-settings.ts';
import { relayFailure, serverSetting } from './relay-setting.ts';
import { type ClientTlsFlags, clientSecurityOf, clientTlsSettings } from './tls-settings.ts';

interface ObserveFlags extends Selectors, ClientTlsFlags, RedactionFlags {
  server: string;
  output: Output;
  printNodeName: boolean;
  printPolicyNames: boolean;
  numeric: boolean;
  timeFormat: TimeFormat;
  color: 'auto' | 'always' | 'never';
  inputFile?: string;
  printRawFilters: boolean;
  summary: boolean;
  [filterFlag: string]: unknown;
}

const MOST = 16_777_216;

const ownFlag = (flags: string, description: string) =>
  setting<boolean>({ flags, description, default: false, environment: false });

/** `waggle observe`: flows of any Hubble observer, with the filters and outputs of `hubble observe`. */
export function observeCommand(): Command {
  const command = new Command('observe')
    .description(
      'print flows, past ones and with -f as they happen. Filters are those of "hubble observe": all must hold, and values ' +
        'of one are alternatives.',
    )
    .argument('[filter...]', 'filters as in the page, for what has no flag: "!port=53" "from:ns=shop"');
  addSettings(
    command,
    serverSetting,
    ownFlag('-f, --follow', 'go on with flows as they happen'),
    setting<number>({
      flags: '--last <count>',
      description: `matching past flows to begin with, of every node (default ${DEFAULT_LAST}; all with --since or --until, none with -f)`,
      parser: count(0, Number.MAX_SAFE_INTEGER),
      environment: false,
    }),
    setting<number>({
      flags: '--first <count>',
      description: 'the oldest matching flows that are held',
      parser: count(0, Number.MAX_SAFE_INTEGER),
      environment: false,
    }),
    ownFlag('--all', 'every matching flow that is held'),
    setting<Timestamp>({
      flags: '--since <time>',
      description: 'not older than this: 30s, 5m, 2026-11-21T09:26:56Z',
      parser: pointInTime,
      environment: false,
    }),
    setting<Timestamp>({
      flags: '--until <time>',
      description: 'not newer than this',
      parser: pointInTime,
      environment: false,
    }),
    setting<string>({
      flags: '-o, --output <form>',
      description: 'compact, dict, table, or json and jsonpb (a GetFlowsResponse per line)',
      parser: oneOf(...OUTPUTS),
      default: 'compact',
      environment: false,
    }),
    setting<string>({
      flags: '--color <when>',
      description: 'auto, always or never; auto is on a terminal, unless NO_COLOR is set',
      parser: oneOf('auto', 'always', 'never'),
      default: 'auto',
      environment: false,
    }),
    setting<TimeFormat>({
      flags: '--time-format <form>',
      description: `how times are written, in UTC; one of ${TIME_FORMATS.join(', ')}`,
      parser: oneOf(...TIME_FORMATS),
      default: 'StampMilli',
      environment: false,
    }),
    ownFlag('--print-node-name', 'with each line the node that observed it'),
    ownFlag('--print-policy-names', 'after drops the policies that made them'),
    ownFlag('--numeric', 'addresses instead of names'),
    ownFlag('--summary', 'instead of flows: who talks to whom, by number of flows'),
    setting<string>({
      flags: '--input-file <path>',
      description: 'take flows from a file of "-o json" lines, or from - (standard input), instead of a server',
      parser: (value) => (value === '-' ? value : path(value)),
      environment: false,
    }),
    ownFlag('--print-raw-filters', 'print the filters as JSON, for --allowlist and --denylist, and end'),
    ...redactionSettings(),
    ...clientTlsSettings(),
  );
  for (const name of ['allowlist', 'denylist']) {
    const collect = (value: string, before: string[] = []) => [...before, value];
    command.option(`--${name} <json>`, `filters as JSON, one object or several: {"source_pod":["shop/"]}`, collect);
  }
  for (const option of filterOptions()) command.addOption(option);
  const given = noteFilters(command);
  return command.action((words: string[], flags: ObserveFlags) => observe(words, flags, given));
}

async function observe(words: string[], flags: ObserveFlags, given: readonly GivenFlag[]): Promise<void> {
  const ended = new AbortController();
  const end = () => ended.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  try {
    const ours = words.length > 0 || asksOwnFilters(flags);
    if (flags.printRawFilters) {
      const { printRawFilters } = await import('./observe-raw-filters.ts');
      return printRawFilters(hubbleRequest(flags, given));
    }
    const responses = ours
      ? await byTokens(words, flags, given, ended.signal)
      : await byHubble(flags, given, ended.signal);
    await print(responses, flags);
  } catch (error) {
    if (error instanceof HubbleFlagError) throw new CommandError(error.message, MISUSE);
    // Ctrl-C is how following ends.
    if (!ended.signal.aborted) throw relayFailure(error, flags.server);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end);
  }
}

/** Filters that Hubble has: any observer can be asked. */
async function byHubble(flags: ObserveFlags, given: readonly GivenFlag[], signal: AbortSignal) {
  const request = hubbleRequest(flags, given);
  const { fromFile, fromObserver } = await import('./observe-sources.ts');
  if (flags.inputFile !== undefined) {
    if (flags.follow) throw new CommandError('a file cannot be followed: leave out --follow or --input-file', MISUSE);
    const everything = !flags.last && !flags.first;
    return fromFile(flags.inputFile, { ...request, number: everything ? 0n : (request.number ?? 0n) }, complain);
  }
  return fromObserver(flags.server, request, signal, await clientSecurityOf(flags));
}

/** Filters that only we have: asked of our own service. */
async function byTokens(
  words: readonly string[],
  flags: ObserveFlags,
  given: readonly GivenFlag[],
  signal: AbortSignal,
) {
  const elsewhere = ['first', 'allowlist', 'denylist', 'inputFile'].filter((name) => flags[name] !== undefined);
  const unable = [
    ...flagsWithoutToken(given),
    ...elsewhere.map((name) => (name === 'inputFile' ? 'input-file' : name)),
  ];
  if (unable.length > 0) {
    const what = words.length > 0 ? `the filter "${words[0]}"` : 'a filter that Hubble does not have';
    throw new CommandError(
      `--${unable[0]} cannot stand beside ${what}: say all of it by flags, or all of it by words`,
      MISUSE,
    );
  }
  const filter = filterTokens(flags, words);
  const { parseFilter } = await import('#core/filter/parse-filter.ts');
  const { errors } = parseFilter(filter);
  if (errors.length > 0) {
    const problems = errors.map(
      ({ token, start, message }) => `"${filter[token]}", character ${start + 1}: ${message}`,
    );
    throw new CommandError(`filter ${problems.join('\n        filter ')}`, MISUSE);
  }
  const { follow, since, until } = flags;
  const isRange = since !== undefined || until !== undefined;
  const last = flags.all || isRange ? MOST : Math.min(flags.last || (follow ? 0 : DEFAULT_LAST), MOST);
  const { fromFlowService } = await import('./observe-sources.ts');
  const responses = fromFlowService(flags.server, { filter, last, follow }, signal, await clientSecurityOf(flags));
  if (!isRange) return responses;
  const { inRange } = await import('./observe-range.ts');
  // A point to begin at goes before a number, as with Hubble; of what is followed there is no newest.
  const newest = since !== undefined || follow || flags.all ? undefined : flags.last || undefined;
  return inRange(responses, { since, until, last: newest });
}

async function print(responses: Responses, flags: ObserveFlags): Promise<void> {
  const { FlowPrinter } = await import('#core/observe/flow-printer.ts');
  const { TopTalkers } = await import('#core/observe/top-talkers.ts');
  const { redactResponse } = await import('#core/redaction/redact-flow.ts');
  const printer = new FlowPrinter({
    output: flags.output,
    color:
      flags.color === 'always' || (flags.color === 'auto' && process.stdout.isTTY === true && !process.env.NO_COLOR),
    nodeName: flags.printNodeName,
    policyNames: flags.printPolicyNames,
    numeric: flags.numeric,
    timeFormat: flags.timeFormat,
  });
  const talkers = flags.summary ? new TopTalkers() : undefined;
  let waiting = '';
  let timer: NodeJS.Immediate | undefined;
  const write = async (text: string) => {
    // A slow terminal or pipe holds the stream back instead of filling memory.
    if (text !== '' && !process.stdout.write(text)) {
      await new Promise<void>((resolve) => process.stdout.once('drain', () => resolve()));
    }
  };
  const flush = () => {
    timer = undefined;
    const text = waiting + (flags.follow ? printer.flush() : '');
    waiting = '';
    return write(text);
  };
  const rules = redactionOf(flags);
  try {
    for await (const told of responses) {
      const response = rules === undefined ? told : redactResponse(told, rules);
      if (talkers !== undefined && isFlow(response)) {
        talkers.add(response.responseTypes.value);
        continue;
      }
      const { out, err } = printer.print(response);
      if (err !== '') process.stderr.write(err);
      waiting += out;
      if (waiting.length > 65_536) await flush();
      // What comes together is written together.
      else timer ??= setImmediate(flush);
    }
  } finally {
    clearImmediate(timer);
    await write(waiting + printer.flush() + (talkers?.text() ?? ''));
  }
}

function isFlow(response: GetFlowsResponse): response is GetFlowsResponse & {
  responseTypes: Extract<GetFlowsResponse['responseTypes'], { case: 'flow' }>;
} {
  return response.responseTypes.case === 'flow';
}
