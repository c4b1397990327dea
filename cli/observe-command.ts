import { Command } from 'commander';
import type { Cursor, FlowBatch, FlowService } from '#proto/gen/waggle/v1/flow_pb.ts';
import type { Client } from '#runtime/grpc/client.ts';
import { count, oneOf } from '#runtime/settings/parsers.ts';
import { addSettings, setting } from '#runtime/settings/setting.ts';
import { CommandError } from './failure.ts';
import { lossSourceName } from './loss-source-name.ts';
import { filterOptions, filterTokens } from './observe-flags.ts';
import { relayFailure, serverSetting } from './relay-setting.ts';

interface ObserveFlags {
  server: string;
  follow: boolean;
  last?: number;
  output: 'compact' | 'json';
  printNodeName: boolean;
  [filterFlag: string]: unknown;
}

const DEFAULT_LAST = 20;

/** `waggle observe`: flows in Hubble's compact line shape, past ones and, with -f, live. */
export function observeCommand(): Command {
  const command = new Command('observe')
    .description(
      'print flows, past ones and with -f as they happen. All filters must hold; values of one are alternatives.',
    )
    .argument('[filter...]', 'filters as in the page, for what has no flag: "!port=53" "from:ns=shop"');
  addSettings(
    command,
    serverSetting,
    setting<boolean>({
      flags: '-f, --follow',
      description: 'go on with flows as they happen',
      default: false,
      environment: false,
    }),
    setting<number>({
      flags: '--last <count>',
      description: `matching past flows to begin with (default ${DEFAULT_LAST}, with -f 0)`,
      parser: count(0, 16_777_216),
      environment: false,
    }),
    setting<string>({
      flags: '-o, --output <form>',
      description: 'compact (a line as of "hubble observe") or json (one object per line)',
      parser: oneOf('compact', 'json'),
      default: 'compact',
      environment: false,
    }),
    setting<boolean>({
      flags: '--print-node-name',
      description: 'with each line the node that observed it',
      default: false,
      environment: false,
    }),
  );
  for (const option of filterOptions()) command.addOption(option);
  return command.action(observe);
}

async function observe(words: string[], flags: ObserveFlags): Promise<void> {
  const filter = filterTokens(flags, words);
  const { parseFilter } = await import('#core/filter/parse-filter.ts');
  const { errors } = parseFilter(filter);
  if (errors.length > 0) {
    const problems = errors.map(
      ({ token, start, message }) => `"${filter[token]}", character ${start + 1}: ${message}`,
    );
    throw new CommandError(`filter ${problems.join('\n        filter ')}`, 2);
  }
  const { FlowService } = await import('#proto/gen/waggle/v1/flow_pb.ts');
  const { createClient } = await import('#runtime/grpc/client.ts');
  const client = createClient(FlowService, flags.server, { maxReceiveBytes: 16 * 1024 * 1024 });
  const ended = new AbortController();
  const end = () => ended.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
  try {
    await print(client, filter, flags, ended.signal);
  } catch (error) {
    // Ctrl-C is how following ends.
    if (!ended.signal.aborted) throw relayFailure(error, flags.server);
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, end);
    client.close();
  }
}

async function print(client: Client<typeof FlowService>, filter: string[], flags: ObserveFlags, signal: AbortSignal) {
  const { follow, last = follow ? 0 : DEFAULT_LAST } = flags;
  if (!follow && last === 0) return;
  let cursor: Cursor | undefined;
  do {
    const lines = await linePrinter(flags);
    for await (const batch of client.follow({ filter, follow, last, cursor }, { signal })) {
      cursor = batch.cursor ?? cursor;
      for (const { source, node, count } of batch.losses) {
        process.stderr.write(`EVENTS LOST: ${lossSourceName(source)}${node === '' ? '' : ` ${node}`} ${count}\n`);
      }
      const text = lines(batch);
      // A slow terminal or pipe holds the stream back instead of filling memory.
      if (text !== '' && !process.stdout.write(text)) {
        await new Promise<void>((resolve) => process.stdout.once('drain', () => resolve()));
      }
    }
    // A stream that is followed ends only to be begun anew where it stood.
  } while (follow && !signal.aborted);
}

/** Makes text of one stream's batches; its dictionaries live as long as the stream. */
async function linePrinter({ output, printNodeName }: ObserveFlags): Promise<(batch: FlowBatch) => string> {
  const { BatchDecoder } = await import('#core/flow/batch.ts');
  const { compactLine } = await import('#core/flow/compact-line.ts');
  const { EndpointStore } = await import('#core/flow/endpoint-store.ts');
  const { rowObject } = await import('#core/flow/row-object.ts');
  const endpoints = new EndpointStore();
  const nodes: { cluster: string; node: string; bootId: bigint }[] = [];
  const decoder = new BatchDecoder({ endpoints, nodeNumber: (boot) => nodes.push(boot) - 1 });
  return (batch) => {
    const { rows, columns } = decoder.decode(batch);
    let text = '';
    for (let row = 0; row < rows; row++) {
      if (output === 'json') {
        text += `${JSON.stringify(rowObject(columns, row, endpoints, nodes, decoder.decisions))}\n`;
        continue;
      }
      const { cluster, node } = nodes[columns.node[row]];
      const where = printNodeName ? `${cluster}/${node}` : undefined;
      text += `${compactLine(columns, row, endpoints, where, decoder.decisions)}\n`;
    }
    return text;
  };
}
