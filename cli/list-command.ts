import { Command } from 'commander';
import { textTable } from '#core/observe/text-table.ts';
import type { GetNodesResponse, Node } from '#proto/gen/observer/observer_pb.ts';
import { oneOf } from '#runtime/settings/parsers.ts';
import { addSettings, setting } from '#runtime/settings/setting.ts';
import { relayFailure, serverSetting } from './relay-setting.ts';
import { type ClientTlsFlags, clientSecurityOf, clientTlsSettings } from './tls-settings.ts';

interface ListFlags extends ClientTlsFlags {
  server: string;
  output: 'table' | 'json';
}

/** `waggle list nodes|namespaces`: what an observer knows. */
export function listCommand(): Command {
  const command = new Command('list').description('nodes that a relay follows, or namespaces seen in flows');
  command.addCommand(subcommand('nodes', 'nodes with their state and the flows they hold', listNodes));
  command.addCommand(subcommand('namespaces', 'namespaces that flows of the last hour named', listNamespaces));
  return command;
}

function subcommand(name: string, description: string, action: (flags: ListFlags) => Promise<void>): Command {
  const command = new Command(name).description(description);
  addSettings(
    command,
    serverSetting,
    setting<string>({
      flags: '-o, --output <form>',
      description: 'table or json',
      parser: oneOf('table', 'json'),
      default: 'table',
      environment: false,
    }),
    ...clientTlsSettings(),
  );
  return command.action((flags: ListFlags) =>
    action(flags).catch((error) => Promise.reject(relayFailure(error, flags.server))),
  );
}

async function observer(flags: ListFlags) {
  const { Observer } = await import('#proto/gen/observer/observer_pb.ts');
  const { createClient } = await import('#runtime/grpc/client.ts');
  return createClient(Observer, flags.server, { security: await clientSecurityOf(flags) });
}

async function listNodes(flags: ListFlags): Promise<void> {
  const client = await observer(flags);
  try {
    const response: GetNodesResponse = await client.getNodes({}, { deadlineMs: 10_000 });
    if (flags.output === 'json') {
      const { toJson } = await import('@bufbuild/protobuf');
      const { GetNodesResponseSchema } = await import('#proto/gen/observer/observer_pb.ts');
      console.log(JSON.stringify(toJson(GetNodesResponseSchema, response, { useProtoFieldName: true }), null, 2));
      return;
    }
    const { NodeState } = await import('#proto/gen/relay/relay_pb.ts');
    const state = (node: Node) =>
      Object.entries(NodeState)
        .find(([, number]) => number === node.state)?.[0]
        .replace('NODE_', '') ?? 'UNKNOWN';
    process.stdout.write(
      textTable([
        ['NAME', 'STATUS', 'AGE', 'FLOWS/S', 'CURRENT/MAX-FLOWS', 'ADDRESS'],
        ...response.nodes.map((node) => [
          node.name,
          capitalised(state(node)),
          age(Number(node.uptimeNs / 1_000_000_000n)),
          perSecond(node),
          `${node.numFlows}/${node.maxFlows}`,
          node.address,
        ]),
      ]),
    );
  } finally {
    client.close();
  }
}

async function listNamespaces(flags: ListFlags): Promise<void> {
  const client = await observer(flags);
  try {
    const response = await client.getNamespaces({}, { deadlineMs: 10_000 });
    if (flags.output === 'json') {
      const { toJson } = await import('@bufbuild/protobuf');
      const { GetNamespacesResponseSchema } = await import('#proto/gen/observer/observer_pb.ts');
      console.log(JSON.stringify(toJson(GetNamespacesResponseSchema, response, { useProtoFieldName: true }), null, 2));
      return;
    }
    const rows = response.namespaces.map(({ cluster, namespace }) => [namespace, cluster]);
    process.stdout.write(textTable([['NAMESPACE', 'CLUSTER'], ...rows]));
  } finally {
    client.close();
  }
}

/** Mean since the node's start, as Hubble's list has it. */
function perSecond({ seenFlows, uptimeNs }: Node): string {
  const seconds = Number(uptimeNs) / 1e9;
  return seconds === 0 ? '-' : (Number(seenFlows) / seconds).toFixed(2);
}

function age(seconds: number): string {
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

function capitalised(text: string): string {
  return text.charAt(0) + text.slice(1).toLowerCase();
}
