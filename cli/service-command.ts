import { Command } from 'commander';
import { textTable } from '#core/observe/text-table.ts';
import type {
  ListServicesResponse,
  LoadBalancerService,
  ServiceBackend,
  ServiceStatus,
  TraceServiceResponse,
} from '#proto/gen/waggle/v1/service_pb.ts';
import { type Client, createClient } from '#runtime/grpc/client.ts';
import { addSettings } from '#runtime/settings/setting.ts';
import { CommandError, MISUSE } from './failure.ts';
import { outputSetting } from './output-setting.ts';
import { relayFailure, serverSetting } from './relay-setting.ts';
import { type ClientTlsFlags, clientSecurityOf, clientTlsSettings } from './tls-settings.ts';
import { untranslatedNote } from './untranslated-note.ts';

interface Flags extends ClientTlsFlags {
  readonly server: string;
  readonly output: 'text' | 'json';
}

/** `waggle service`: who stands behind Services, and where a connection to one would go. */
export function serviceCommand(): Command {
  const command = new Command('service').description('Services: their backends, and where a connection would go');
  command.addCommand(
    verb('list', 'Services with their addresses and how many backends are ready')
      .option('-n, --namespace <namespace>', 'only of this namespace')
      .action(list),
  );
  command.addCommand(
    verb('get', 'one Service: each address, and each backend with its connections')
      .argument('<service>', 'namespace/name')
      .action(get),
  );
  command.addCommand(
    verb('trace', 'what a connection to an address would hit, and why')
      .argument('<address>', '10.96.0.10:53/UDP or [fd00::a]:80; TCP when nothing is said')
      .option('--from <pod>', 'who connects: namespace/pod')
      .option('--node <node>', 'where, when it is no pod: a process of this node')
      .action(trace),
  );
  return command;
}

function verb(name: string, description: string): Command {
  return addSettings(new Command(name).description(description), serverSetting, outputSetting, ...clientTlsSettings());
}

async function asking<T>(flags: Flags, ask: (client: Client<typeof LoadBalancerService>) => Promise<T>): Promise<T> {
  const { LoadBalancerService: description } = await import('#proto/gen/waggle/v1/service_pb.ts');
  const client = createClient(description, flags.server, { security: await clientSecurityOf(flags) });
  try {
    return await ask(client);
  } catch (error) {
    throw relayFailure(error, flags.server);
  } finally {
    client.close();
  }
}

async function list(flags: Flags & { namespace?: string }): Promise<void> {
  const { namespace = '' } = flags;
  const response = await asking(flags, (client) => client.listServices({ namespace }, { deadlineMs: 10_000 }));
  if (flags.output === 'json') return printJson(response);
  const rows = response.services.map((service) => [
    `${service.namespace}/${service.name}`,
    service.type,
    service.externalName || service.clusterIps.join(', ') || '–',
    ports(service),
    readiness(service),
  ]);
  process.stdout.write(textTable([['SERVICE', 'TYPE', 'ADDRESS', 'PORTS', 'READY'], ...rows]));
  warn(response);
}

async function get(text: string, flags: Flags): Promise<void> {
  const { namespace, name } = named(text, 'Service');
  const response = await asking(flags, (client) => client.listServices({ namespace, name }, { deadlineMs: 10_000 }));
  const [service] = response.services;
  if (service === undefined) throw new CommandError(`there is no Service "${text}"`);
  if (flags.output === 'json') return printJson(response);
  console.log(`Service ${namespace}/${name}, ${service.type}`);
  if (service.externalName !== '') console.log(`another name for ${service.externalName}`);
  for (const { kind, address, port, protocol, portName, affinitySeconds, algorithm, backends } of service.frontends) {
    const host = address.includes(':') ? `[${address}]` : address;
    const affinity = affinitySeconds > 0 ? `, affinity ${affinitySeconds} s` : '';
    const called = portName === '' ? '' : ` (${portName})`;
    console.log(`\n${host}:${port}/${protocol}${called}, ${kind}, ${algorithm}${affinity}`);
    if (backends.length === 0) console.log('  no backend is ready: connections are refused');
    else
      process.stdout.write(
        textTable([BACKEND_HEAD, ...backends.map(backendRow)])
          .replace(/^/gm, '  ')
          .trimEnd(),
      );
    console.log();
  }
  warn(response);
}

const BACKEND_HEAD = ['BACKEND', 'POD', 'NODE', 'STATE', 'WEIGHT', 'SOCKETS', 'OPENED'];

function backendRow({ address, port, pod, node, terminating, weight, connections, opened }: ServiceBackend): string[] {
  const host = address.includes(':') ? `[${address}]` : address;
  const state = terminating ? 'terminating' : 'ready';
  return [`${host}:${port}`, pod || '–', node || '–', state, `${weight}`, `${connections}`, `${opened}`];
}

async function trace(target: string, flags: Flags & { from?: string; node?: string }): Promise<void> {
  const { address, port, protocol } = parseTarget(target);
  const from = flags.from === undefined ? { namespace: '', name: '' } : named(flags.from, 'pod');
  const response = await asking(flags, (client) =>
    client.traceService(
      { address, port, protocol, clientNamespace: from.namespace, clientPod: from.name, node: flags.node ?? '' },
      { deadlineMs: 10_000 },
    ),
  );
  if (flags.output === 'json') return printJson(response);
  const { TraceOutcome } = await import('#proto/gen/waggle/v1/service_pb.ts');
  const words: Record<number, string> = {
    [TraceOutcome.BALANCED]: 'balanced',
    [TraceOutcome.REFUSED]: 'refused: Service backend not found',
    [TraceOutcome.UNROUTABLE]: 'dropped: Stale or unroutable IP',
    [TraceOutcome.PASSED]: 'no Service',
  };
  const who = flags.from === undefined ? `a process of ${response.node}` : `${flags.from} on ${response.node}`;
  console.log(`${who} → ${target}: ${words[response.outcome] ?? 'unknown'}`);
  for (const step of response.steps) console.log(`  ${step}`);
  for (const { backend, share } of response.candidates) {
    if (backend === undefined) continue;
    const host = backend.address.includes(':') ? `[${backend.address}]` : backend.address;
    const place = [backend.pod, backend.node].filter((part) => part !== '').join(' on ');
    console.log(`  → ${host}:${backend.port}  ${(share * 100).toFixed(0).padStart(3)} %  ${place}`);
  }
}

function parseTarget(text: string): { address: string; port: number; protocol: string } {
  const [, v6, v4, port, protocol = 'TCP'] =
    /^(?:\[([0-9a-fA-F:.]{2,45})\]|([0-9.]{7,15})):(\d{1,5})(?:\/(TCP|UDP))?$/i.exec(text) ?? [];
  const address = v6 ?? v4;
  if (address === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new CommandError(`"${text}" is no address and port, such as 10.96.0.10:53/UDP or [fd00::a]:80`, MISUSE);
  }
  return { address, port: Number(port), protocol: protocol.toUpperCase() };
}

function named(text: string, what: string): { namespace: string; name: string } {
  const [namespace, name, ...more] = text.split('/');
  if (!namespace || !name || more.length > 0)
    throw new CommandError(`"${text}" is no ${what}: give namespace/name`, MISUSE);
  return { namespace, name };
}

function ports({ frontends }: ServiceStatus): string {
  return [...new Set(frontends.map(({ port, protocol }) => `${port}/${protocol}`))].join(', ') || '–';
}

/** Of the address with the fewest: the worst that a client may meet. */
function readiness({ frontends }: ServiceStatus): string {
  if (frontends.length === 0) return '–';
  return `${Math.min(...frontends.map(({ backends }) => backends.filter(({ terminating }) => !terminating).length))}`;
}

function warn(response: ListServicesResponse): void {
  const { silentNodes, problems, kubeProxy } = response;
  for (const line of silentNodes) console.error(`not answered: ${line}`);
  for (const line of problems) console.error(`problem: ${line}`);
  for (const { node, kind, rules } of kubeProxy)
    console.error(`${node}: ${rules} ${kind} rules of kube-proxy are present`);
  for (const line of untranslatedNote(response)) console.error(line);
}

function printJson(response: ListServicesResponse | TraceServiceResponse): void {
  const { $typeName: _, ...rest } = response;
  console.log(
    JSON.stringify(
      rest,
      (key, value) => (key === '$typeName' ? undefined : typeof value === 'bigint' ? Number(value) : value),
      MISUSE,
    ),
  );
}
