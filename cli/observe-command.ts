import { Command } from 'commander';
import type { Cursor, FlowBatch } from '#proto/gen/waggle/v1/flow_pb.ts';
import { count, listOf, oneOf, text } from '#runtime/settings/parsers.ts';
import { addSettings, type Setting, setting } from '#runtime/settings/setting.ts';
import { CommandError } from './failure.ts';
import { serverSetting } from './relay-setting.ts';
import { lossSourceName } from './status-command.ts';

/** Each flag is a filter token: `--from-pod x` = `from:pod=x`. Values of one flag are ORed, flags ANDed. */
const FILTER_FLAGS: readonly { flag: string; token: string; words: string }[] = [
  ...(['', 'from', 'to'] as const).flatMap((side) =>
    [
      ['pod', 'pod', 'pods: name, ns/name, ns/ or /name, as prefixes'],
      ['ip', 'ip', 'addresses or CIDRs'],
      ['port', 'port', 'ports'],
      ['label', 'label', 'labels key=value'],
      ['identity', 'identity', 'identities'],
      ['workload', 'workload', 'workloads'],
    ].map(([name, field, words]) => ({
      flag: side === '' ? name : `${side}-${name}`,
      token: `${side === '' ? '' : `${side}:`}${field}`,
      words:
        side === ''
          ? `only flows with one of these ${words}`
          : `the same for the ${side === 'from' ? 'source' : 'destination'}`,
    })),
  ),
  { flag: 'from-namespace', token: 'from:ns', words: 'only flows from these namespaces' },
  { flag: 'to-namespace', token: 'to:ns', words: 'only flows to these namespaces' },
  { flag: 'protocol', token: 'proto', words: 'tcp, udp, icmp, sctp' },
  { flag: 'verdict', token: 'verdict', words: 'forwarded, dropped, audit' },
  { flag: 'node-name', token: 'node', words: 'only flows seen on these nodes' },
];

interface ObserveFlags {
  server: string;
  follow?: boolean;
  last?: number;
  namespace: string[];
  filter: string[];
  output: 'compact' | 'json';
  [flag: string]: unknown;
}

/** `waggle observe`: flows in Hubble's compact line shape, past ones and, with -f, live. */
export function observeCommand(): Command {
  const command = new Command('observe').description('print flows as they happen');
  addSettings(
    command,
    serverSetting,
    setting<boolean>({ flags: '-f, --follow', description: 'go on with new flows', environment: false }),
    setting<number>({
      flags: '--last <count>',
      description: 'past flows first (default 20, with -f 0)',
      parser: count(0, 1_000_000),
      environment: false,
    }),
    setting<string[]>({
      flags: '-n, --namespace <names>',
      description: 'only flows with one end in these namespaces',
      parser: listOf(text),
      default: [],
      defaultText: 'all',
      environment: false,
    }),
    setting<string[]>({
      flags: '--filter <token...>',
      description: 'filter tokens as in the page: `!port=53`, `from:ns=shop`',
      default: [],
      defaultText: 'none',
      environment: false,
    }),
    setting<string>({
      flags: '-o, --output <form>',
      description: 'compact or json',
      parser: oneOf('compact', 'json'),
      default: 'compact',
      environment: false,
    }),
    ...FILTER_FLAGS.map(
      ({ flag, words }): Setting<never> =>
        setting<string>({ flags: `--${flag} <values>`, description: words, parser: text, environment: false }),
    ),
  );
  return command.action(observe);
}

async function observe(flags: ObserveFlags): Promise<void> {
  const filter = filterTokens(flags);
  const { parseFilter } = await import('#core/filter/parse-filter.ts');
  const { errors } = parseFilter(filter);
  if (errors.length > 0) {
    throw new CommandError(errors.map((error) => `filter "${filter[error.token]}": ${error.message}`).join('; '), 2);
  }
  const { FlowService } = await import('#proto/gen/waggle/v1/flow_pb.ts');
  const { createClient } = await import('#runtime/grpc/client.ts');
  const client = createClient(FlowService, flags.server);
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  process.once('SIGTERM', () => interrupted.abort());
  const follow = flags.follow === true;
  let cursor: Cursor | undefined;
  try {
    do {
      const print = await printer(flags.output);
      const last = flags.last ?? (follow ? 0 : 20);
      const stream = client.follow(
        { filter, namespaces: flags.namespace, follow, last, cursor },
        { signal: interrupted.signal },
      );
      for await (const batch of stream) {
        cursor = batch.cursor ?? cursor;
        await print(batch);
      }
      // A stream that is followed ends only to be begun anew.
    } while (follow && !interrupted.signal.aborted);
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
  } finally {
    client.close();
  }
}

function filterTokens(flags: ObserveFlags): string[] {
  const tokens = [...flags.filter];
  for (const { flag, token } of FILTER_FLAGS) {
    const value = flags[flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
    if (typeof value !== 'string') continue;
    tokens.push(token.endsWith('label') ? `${token} ${value}` : `${token}=${value}`);
  }
  return tokens;
}

/** One stream's printer: its dictionaries live as long as the stream. */
async function printer(output: 'compact' | 'json'): Promise<(batch: FlowBatch) => Promise<void>> {
  const { BatchDecoder } = await import('#core/flow/batch.ts');
  const { compactLine } = await import('#core/flow/compact-line.ts');
  const { rowObject } = await import('#core/flow/row-object.ts');
  const { EndpointStore } = await import('#core/flow/endpoint-store.ts');
  const { nodeBootKey } = await import('#core/flow/node-boot.ts');
  const endpoints = new EndpointStore();
  const nodes: Parameters<typeof nodeBootKey>[0][] = [];
  const decoder = new BatchDecoder({ endpoints, nodeNumber: (boot) => nodes.push(boot) - 1 });
  return async (batch) => {
    const { rows, columns } = decoder.decode(batch);
    let lines = '';
    for (let row = 0; row < rows; row++) {
      lines +=
        output === 'json'
          ? `${JSON.stringify(rowObject(columns, row, endpoints, nodes))}\n`
          : `${compactLine(columns, row, endpoints)}\n`;
    }
    for (const loss of batch.losses) {
      process.stderr.write(`FLOWS LOST: ${lossSourceName(loss.source)} ${loss.node} ${loss.count}\n`);
    }
    // A slow terminal or pipe holds the stream back instead of filling memory.
    if (lines !== '' && !process.stdout.write(lines))
      await new Promise<void>((resolve) => process.stdout.once('drain', () => resolve()));
  };
}
