import { Command } from 'commander';
import type { NodeStatus, StatusResponse } from '#proto/gen/waggle/v1/flow_pb.ts';
import { addSettings, setting } from '#runtime/settings/setting.ts';
import { apiClientOf, type KubernetesFlags, kubernetesSettings } from './cluster-source-settings.ts';
import { namespaceSetting } from './namespace-setting.ts';
import { outputSetting } from './output-setting.ts';
import { relayFailure, serverSetting } from './relay-setting.ts';
import { type ClientTlsFlags, clientSecurityOf, clientTlsSettings } from './tls-settings.ts';

/** `waggle status`: nodes, flows per second and losses. Exit code 1 while a node is missing, or there is none. */
export function statusCommand(): Command {
  const command = new Command('status').description(
    'nodes, flows per second and losses; exit code 1 while a node is missing',
  );
  addSettings(
    command,
    serverSetting,
    outputSetting,
    setting<boolean>({
      flags: '--kubernetes',
      description: 'of an installation in a Kubernetes cluster: what is desired, what is ready, and why not more',
      default: false,
      environment: false,
    }),
    namespaceSetting,
    ...kubernetesSettings(),
    ...clientTlsSettings(),
  );
  return command.action(status);
}

interface StatusFlags extends ClientTlsFlags, KubernetesFlags {
  kubernetes: boolean;
  namespace: string;
  server: string;
  output: 'text' | 'json';
}

async function status(flags: StatusFlags): Promise<void> {
  if (flags.kubernetes) return installationStatus(flags);
  const { server, output } = flags;
  const { FlowService, NodeState, StatusResponseSchema } = await import('#proto/gen/waggle/v1/flow_pb.ts');
  const { createClient } = await import('#runtime/grpc/client.ts');
  const client = createClient(FlowService, server, { security: await clientSecurityOf(flags) });
  try {
    const response = await client.status({}, { deadlineMs: 10_000 });
    if (output === 'json') {
      const { toJson } = await import('@bufbuild/protobuf');
      console.log(JSON.stringify(toJson(StatusResponseSchema, response), null, 2));
    } else {
      const { statusText } = await import('./status-text.ts');
      const { kubeProxyNote } = await import('./kube-proxy-note.ts');
      const note = await kubeProxyNote(server, { security: await clientSecurityOf(flags) });
      console.log([statusText(response), ...note].join('\n'));
    }
    if (!complete(response, NodeState.CONNECTED)) process.exitCode = 1;
  } catch (error) {
    throw relayFailure(error, server);
  } finally {
    client.close();
  }
}

async function installationStatus(flags: StatusFlags): Promise<void> {
  const { isHealthy, readInstallation } = await import('./installation/read-installation.ts');
  const client = await apiClientOf(flags);
  try {
    const installation = await readInstallation(client, flags.namespace);
    if (flags.output === 'json') console.log(JSON.stringify(installation, null, 2));
    else {
      const { installationText } = await import('./installation/installation-text.ts');
      process.stdout.write(installationText(installation));
    }
    if (!isHealthy(installation)) process.exitCode = 1;
  } finally {
    client.close();
  }
}

function complete({ nodes }: StatusResponse, connected: NodeStatus['state']): boolean {
  return nodes.length > 0 && nodes.every(({ state }) => state === connected);
}
