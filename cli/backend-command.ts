import { Command } from 'commander';
import type { PeerTarget } from '#backend/relay/peer-target.ts';
import { BYTES_PER_ROW } from '#core/flow/columns.ts';
import { redaction } from '#core/redaction/redaction.ts';
import { createLogger } from '#runtime/log.ts';
import {
  address,
  count,
  duration,
  hostName,
  InvalidValueError,
  listOf,
  origin,
  type Parser,
  path,
} from '#runtime/settings/parsers.ts';
import { addSettings, setting } from '#runtime/settings/setting.ts';
import { accessOf, checkAnonymous } from './access-options.ts';
import { type AccessFlags, accessSettings } from './access-settings.ts';
import { type ClusterSourceFlags, clusterSourceOf, clusterSourceSettings } from './cluster-source-settings.ts';
import { webAddress } from './export-settings.ts';
import { CommandError, MISUSE } from './failure.ts';
import { grpcListenSetting, listenSetting } from './listen-settings.ts';
import { type MetricsFlags, metricsOf, metricsSettings } from './metrics-settings.ts';
import { type RedactionFlags, redactionAllowSettings } from './redaction-settings.ts';
import {
  clientSecurityOf,
  clientTlsSettings,
  type ServerTlsFlags,
  serverCredentialsOf,
  serverTlsSettings,
} from './tls-settings.ts';

interface BackendFlags
  extends ServerTlsFlags,
    ClusterSourceFlags,
    AccessFlags,
    MetricsFlags,
    Omit<RedactionFlags, 'redact'> {
  hubble: string[];
  hubbleTls?: boolean;
  hubbleTlsCaCertFiles?: string[];
  hubbleTlsClientCertFile?: string;
  hubbleTlsClientKeyFile?: string;
  hubbleTlsServerName?: string;
  agentTls?: boolean;
  agentTlsCaCertFiles?: string[];
  agentTlsClientCertFile?: string;
  agentTlsClientKeyFile?: string;
  agentTlsServerName?: string;
  listen: string;
  grpcListen: string;
  keepState?: string;
  agent: PeerTarget[];
  window: number;
  mergeWait: number;
  metricsEdges: number;
  exportOtlp?: URL;
  allowedHost: string[];
  frameAncestors: string[];
}

/** `waggle backend`: relay, API and page. Runs until a signal ends it. */
export function backendCommand(): Command {
  const command = new Command('backend').description(
    'follow every agent, and serve the page, its API and the relay. Takes the agents from the cluster state, or from --agent.',
  );
  addSettings(
    command,
    listenSetting,
    grpcListenSetting,
    ...clusterSourceSettings('folder with the cluster state: the agents of its nodes are followed'),
    setting<string>({
      flags: '--keep-state <file>',
      description:
        'with --source kubernetes: where what is known of the cluster is kept for a start while the API gives no answer ' +
        '(default: nowhere)',
      parser: path,
    }),
    setting<PeerTarget[]>({
      flags: '--agent <name=address,...>',
      description: 'agents to follow beside those, each as node name and host:port',
      parser: listOf(peerTarget),
      default: [],
      defaultText: 'none',
    }),
    setting<string[]>({
      flags: '--hubble <addresses>',
      description: 'Hubble servers or relays, not of ours, whose flows are followed; each as host:port',
      parser: listOf(address),
      default: [],
      defaultText: 'none',
    }),
    ...clientTlsSettings('hubble-'),
    ...redactionAllowSettings(),
    ...clientTlsSettings('agent-'),
    ...serverTlsSettings(),
    setting<number>({
      flags: '--window <flows>',
      description: `the most recent flows held in memory, ${BYTES_PER_ROW} bytes each`,
      parser: count(1_024, 16_777_216),
      default: 262_144,
    }),
    ...metricsSettings('requests'),
    setting<number>({
      flags: '--metrics-edges <count>',
      description: 'pairs of workloads and port that /metrics counts; flows beyond are counted as overflow, 0 = none',
      parser: count(0, 100_000),
      default: 2_000,
    }),
    setting<URL>({
      flags: '--export-otlp <url>',
      description: 'OpenTelemetry collector to which those pairs are sent as metrics (OTLP over HTTP, JSON)',
      parser: webAddress,
    }),
    setting<number>({
      flags: '--merge-wait <duration>',
      description: 'the longest a flow waits for older ones of other nodes',
      parser: duration(0, 5_000),
      default: 40,
      defaultText: '40ms',
    }),
    setting<string[]>({
      flags: '--allowed-host <names>',
      description: 'Host names, beside loopback ones, under which the page may be asked for',
      parser: listOf(hostName),
      default: [],
      defaultText: 'none',
    }),
    setting<string[]>({
      flags: '--frame-ancestors <origins>',
      description: "origins whose pages may show Waggle in a frame and tell it their theme; 'none' for nobody",
      parser: listOf(origin),
      default: ["'self'"],
      defaultText: "'self'",
    }),
    ...accessSettings(),
  );
  return command.action(async (flags: BackendFlags) => {
    const agents = flags.agent;
    const log = createLogger('backend');
    const source = await clusterSourceOf(flags, log, { keepIn: flags.keepState });
    if (source === undefined && agents.length === 0 && flags.hubble.length === 0) {
      throw new CommandError(
        'nothing to follow: name the cluster state with --state-dir or --source kubernetes, agents with --agent, or a Hubble ' +
          'relay with --hubble',
        MISUSE,
      );
    }
    const allowed = redaction({ headers: flags.redactAllowHeader, query: flags.redactAllowQuery });
    const hubbleSecurity = await clientSecurityOf({
      tls: flags.hubbleTls,
      tlsCaCertFiles: flags.hubbleTlsCaCertFiles,
      tlsClientCertFile: flags.hubbleTlsClientCertFile,
      tlsClientKeyFile: flags.hubbleTlsClientKeyFile,
      tlsServerName: flags.hubbleTlsServerName,
    });
    const agentSecurity = await clientSecurityOf({
      tls: flags.agentTls,
      tlsCaCertFiles: flags.agentTlsCaCertFiles,
      tlsClientCertFile: flags.agentTlsClientCertFile,
      tlsClientKeyFile: flags.agentTlsClientKeyFile,
      tlsServerName: flags.agentTlsServerName,
    });
    const clientsAreTrusted = (flags.tlsClientCaFiles?.length ?? 0) > 0;
    checkAnonymous(flags, [
      { flag: '--listen', address: flags.listen },
      { flag: '--grpc-listen', address: flags.grpcListen, certified: clientsAreTrusted },
    ]);
    const access = await accessOf(flags, log);
    const { startBackend } = await import('#backend/start.ts');
    const backend = await startBackend({
      listen: flags.listen,
      relayListen: flags.grpcListen,
      source,
      log,
      agents,
      hubble: flags.hubble.map((target) => ({ address: target, security: hubbleSecurity, redaction: allowed })),
      agentSecurity: (node) =>
        agentSecurity && {
          ...agentSecurity,
          // Certificates of nodes carry their names with hyphens for dots.
          serverName: agentSecurity.serverName?.replace('*', node.replaceAll('.', '-')),
        },
      credentials: await serverCredentialsOf(flags),
      window: flags.window,
      mergeWaitMs: flags.mergeWait,
      metricEdges: flags.metricsEdges,
      metrics: metricsOf(flags),
      otlp: flags.exportOtlp,
      allowedHosts: flags.allowedHost,
      frameAncestors: flags.frameAncestors,
      access,
      clientsAreTrusted,
      basePath: flags.basePath,
      trustedProxies: flags.trustedProxies,
    });
    console.log(`Waggle's page: ${backend.url}`);
    console.log(`relay: ${backend.relayAddress}`);
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
    });
    await backend.close();
  });
}

const peerTarget: Parser<PeerTarget> = (value) => {
  const at = value.indexOf('=');
  try {
    if (at > 0) return { name: value.slice(0, at), address: address(value.slice(at + 1)) };
  } catch {
    // Whichever half is wrong, what is expected is the whole.
  }
  throw new InvalidValueError('node names and addresses such as node-1=10.0.0.1:4244');
};
