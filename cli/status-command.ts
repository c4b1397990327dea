import { Command } from 'commander';
import { LossSource, NodeState, type StatusResponse } from '#proto/gen/waggle/v1/flow_pb.ts';
import { oneOf } from '#runtime/settings/parsers.ts';
import { addSettings, setting } from '#runtime/settings/setting.ts';
import { serverSetting } from './relay-setting.ts';

/** `waggle status`: nodes, flows per second and losses. Exit code 1 while a node is missing. */
export function statusCommand(): Command {
  const command = new Command('status').description(
    'nodes, flows per second and losses; exit code 1 while a node is missing',
  );
  addSettings(
    command,
    serverSetting,
    setting<string>({
      flags: '-o, --output <form>',
      description: 'text or json',
      parser: oneOf('text', 'json'),
      default: 'text',
      environment: false,
    }),
  );
  return command.action(async ({ server, output }: { server: string; output: 'text' | 'json' }) => {
    const { FlowService, StatusResponseSchema } = await import('#proto/gen/waggle/v1/flow_pb.ts');
    const { createClient } = await import('#runtime/grpc/client.ts');
    const client = createClient(FlowService, server);
    try {
      const status = await client.status({}, { deadlineMs: 10_000 });
      if (output === 'json') {
        const { toJson } = await import('@bufbuild/protobuf');
        console.log(JSON.stringify(toJson(StatusResponseSchema, status), null, 2));
      } else {
        console.log(statusText(status));
      }
      if (status.nodes.some((node) => node.state !== NodeState.CONNECTED)) process.exitCode = 1;
    } finally {
      client.close();
    }
  });
}

const STATE_NAMES: Readonly<Record<number, string>> = {
  [NodeState.CONNECTED]: 'connected',
  [NodeState.CONNECTING]: 'connecting',
  [NodeState.UNAVAILABLE]: 'unavailable',
};

function statusText(status: StatusResponse): string {
  const connected = status.nodes.filter((node) => node.state === NodeState.CONNECTED).length;
  const lines = [
    `${status.flowsPerSecond.toFixed(1)} flows/s • ${connected}/${status.nodes.length} nodes`,
    `flows: ${status.flowsSeen} seen, ${status.flowsHeld} of ${status.flowsCapacity} held`,
    `lost:  ${lossText(status.losses)}`,
    ...(status.replayReason === '' ? [] : [`replay: ${status.replayReason}`]),
    '',
  ];
  for (const node of status.nodes) {
    const state = STATE_NAMES[node.state] ?? 'unknown';
    const rate = `${node.flowsPerSecond.toFixed(1)} flows/s`;
    lines.push(
      `${node.name.padEnd(24)} ${state.padEnd(12)} ${rate.padEnd(16)} ${node.address}  ${node.message}`.trimEnd(),
    );
  }
  return lines.join('\n');
}

function lossText(losses: StatusResponse['losses']): string {
  const told = losses.filter(({ count }) => count > 0n);
  if (told.length === 0) return 'none';
  return told.map(({ source, count }) => `${count} ${lossSourceName(source)}`).join(', ');
}

/** `KERNEL_RING` → `kernel ring` */
export function lossSourceName(source: LossSource): string {
  const name = Object.entries(LossSource).find(([, value]) => value === source)?.[0] ?? `source ${source}`;
  return name.toLowerCase().replaceAll('_', ' ');
}
