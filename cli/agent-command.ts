import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { Command } from 'commander';
import { type DatapathTimeouts, DEFAULT_TIMEOUTS } from '#bpf-agent/maps/settings.ts';
import { RunDirectory } from '#bpf-agent/run-directory.ts';
import { findCgroup2 } from '#runtime/cgroup-mount.ts';
import { createLogger } from '#runtime/log.ts';
import {
  address,
  bytes,
  cidr,
  count,
  duration,
  formatDuration,
  listOf,
  oneOf,
  path,
  text,
} from '#runtime/settings/parsers.ts';
import { addSettings, setting } from '#runtime/settings/setting.ts';
import { type ClusterSourceFlags, clusterSourceOf, clusterSourceSettings } from './cluster-source-settings.ts';
import { cniVerbs } from './cni-verbs.ts';
import { type ExportFlags, exportSettings, exportsOf } from './export-settings.ts';
import { CommandError, MISUSE } from './failure.ts';
import { type MetricsFlags, metricsOf, metricsSettings } from './metrics-settings.ts';
import { type ServerTlsFlags, serverCredentialsOf, serverTlsSettings } from './tls-settings.ts';

/** By flag: which time-out of the datapath it sets, and what it says. Milliseconds once parsed. */
const TIMEOUTS = {
  recordInterval: ['record-interval', 'an active connection tells at least this often'],
  timeoutEstablished: ['timeout-established', 'idle end of TCP when both directions were seen'],
  timeoutHalfClosed: ['timeout-half-closed', 'idle end of TCP after one FIN'],
  timeoutClosing: ['timeout-closing', 'idle end of TCP after both FINs or a reset, of SCTP after its shutdown'],
  timeoutOpening: ['timeout-opening', 'idle end of TCP when only one direction was seen'],
  timeoutUdp: ['timeout-udp', 'idle end of UDP exchanges'],
  timeoutIcmp: ['timeout-icmp', 'idle end of ICMP exchanges'],
  timeoutOther: ['timeout-other', 'idle end of SCTP and everything else'],
} as const;
type TimeoutFlag = keyof typeof TIMEOUTS;

interface AgentFlags
  extends Record<TimeoutFlag, number>,
    ServerTlsFlags,
    ExportFlags,
    ClusterSourceFlags,
    MetricsFlags {
  nodeName: string;
  clusterName: string;
  runDir: string;
  listen: string;
  metricsListen: string;
  cgroupRoot?: string;
  procRoot: string;
  flows: number;
  ringSize: number;
  connections: number;
  policyEntries: number;
  attachMode: 'auto' | 'tcx' | 'clsact';
  policyAudit: boolean;
  podCidrs: string[];
  services: 'on' | 'off';
  cniConfDir?: string;
  detachOnExit: boolean;
}

const runDirectory = setting<string>({
  flags: '--run-dir <dir>',
  description: 'where the socket, pinned programs and maps live; they outlive the agent',
  parser: path,
  default: '/run/waggle/agent',
});

/** `waggle agent`: observes the pods of the node whose network namespace it runs in. */
export function agentCommand(): Command {
  const command = new Command('agent').description(
    'run the agent of one node, in its network namespace, as root. A stopped agent leaves its programs at work: they ' +
      'observe into the ring until the next one reads it. `waggle agent cleanup` takes them off.',
  );
  addSettings(
    command,
    setting<string>({
      flags: '--node-name <name>',
      description: "the node's name in the cluster",
      parser: text,
      default: hostname(),
      defaultText: "the machine's name",
    }),
    setting<string>({
      flags: '--cluster-name <name>',
      description: "the cluster's name",
      parser: text,
      default: 'default',
    }),
    ...clusterSourceSettings('folder with the cluster state, one object per file: <Kind>/<namespace>/<name>.yaml'),
    runDirectory,
    setting<string>({
      flags: '--listen <address>',
      description: 'where gRPC is served, besides agent.sock in the run directory',
      parser: address,
      default: '127.0.0.1:4244',
    }),
    ...serverTlsSettings(),
    setting<string>({
      flags: '--metrics-listen <address>',
      description: 'where /metrics, /healthz and /readyz are served',
      parser: address,
      default: '127.0.0.1:9965',
    }),
    ...metricsSettings('flows'),
    ...exportSettings(),
    setting<string>({
      flags: '--cgroup-root <dir>',
      description: "directory under which the pods' cgroups are looked for (default: the whole cgroup v2 mount)",
      parser: path,
    }),
    setting<string>({
      flags: '--proc-root <dir>',
      description: 'where /proc of the host is seen',
      parser: path,
      default: '/proc',
    }),
    setting<number>({
      flags: '--flows <count>',
      description: 'flows held for readers that come later',
      parser: count(1, 16_777_216),
      default: 65_536,
    }),
    setting<number>({
      flags: '--ring-size <size>',
      description: 'memory between kernel and agent, a power of two',
      parser: bytes(4_096, 2 ** 30),
      default: 8 * 2 ** 20,
      defaultText: '8Mi',
    }),
    setting<number>({
      flags: '--connections <count>',
      description: 'entries in the connection table, about 210 bytes each',
      parser: count(1_024, 16_777_216),
      default: 131_072,
    }),
    setting<number>({
      flags: '--policy-entries <count>',
      description: 'entries in the policy map: policies that do not fit stay as they were, and the agent is not ready',
      parser: count(64, 16_777_216),
      default: 524_288,
    }),
    setting<string>({
      flags: '--attach-mode <mode>',
      description: 'kind of hook: auto takes tcx where the kernel has it (6.6), else clsact',
      parser: oneOf('auto', 'tcx', 'clsact'),
      default: 'auto',
    }),
    ...(Object.keys(TIMEOUTS) as TimeoutFlag[]).map((flag) => {
      const [name, description] = TIMEOUTS[flag];
      const milliseconds = DEFAULT_TIMEOUTS[timeoutOf(flag)];
      return setting<number>({
        flags: `--${name} <duration>`,
        description,
        parser: duration(100, 30 * 24 * 3_600_000),
        default: milliseconds,
        defaultText: formatDuration(milliseconds),
      });
    }),
    setting<string>({
      flags: '--services <on|off>',
      description: 'balance Services in the kernel for everything below the cgroup root; off leaves them to kube-proxy',
      parser: oneOf('on', 'off'),
      default: 'on',
    }),
    setting<string>({
      flags: '--cni-conf-dir <dir>',
      description:
        "the container runtime's folder of networks' configurations, where the chained CNI plugin is installed: its entry is put " +
        'back whenever the network is written anew',
      parser: path,
    }),
    setting<boolean>({
      flags: '--policy-audit',
      description: 'evaluate network policies and report what they would drop, without dropping it',
      default: false,
    }),
    setting<string[]>({
      flags: '--pod-cidrs <ranges>',
      description:
        "addresses that can only be pods', where nodes carry no podCIDRs: one that no pod is known to have is then " +
        'unmanaged to policies, and not the world',
      parser: listOf(cidr),
      default: [],
      defaultText: "the nodes' podCIDRs",
    }),
    setting<boolean>({
      flags: '--detach-on-exit',
      description: 'take the programs off and forget everything when the agent stops',
      default: false,
    }),
  );
  // What follows `cleanup` is its own, although both have a --run-dir.
  command.enablePositionalOptions().action(runAgent);
  command.addCommand(
    addSettings(
      new Command('cleanup').description('take the programs of a stopped agent off and forget what it left'),
      runDirectory,
    ).action(cleanUpAfter),
  );
  for (const verb of cniVerbs(runDirectory)) command.addCommand(verb);
  return command;
}

/** `timeoutUdp` → `udp` */
function timeoutOf(flag: TimeoutFlag): keyof DatapathTimeouts {
  const name = flag.replace(/^timeout/, '');
  return `${name[0].toLowerCase()}${name.slice(1)}` as keyof DatapathTimeouts;
}

async function runAgent(flags: AgentFlags): Promise<void> {
  // Not for commander to demand: it would do so of `cleanup` as well.
  const log = createLogger('agent');
  const run = new RunDirectory(flags.runDir);
  const source = await clusterSourceOf(flags, log, { containerStatuses: false, keepIn: run.clusterState });
  if (source === undefined) {
    throw new CommandError(
      'no cluster state: name its folder with --state-dir or WAGGLE_STATE_DIR, or take --source kubernetes',
      MISUSE,
    );
  }
  const cgroupRoot = flags.cgroupRoot ?? findCgroup2(flags.procRoot);
  if (cgroupRoot === undefined) {
    throw new CommandError('no cgroup v2 file system is mounted: mount one, or name its place with --cgroup-root');
  }
  if ((flags.ringSize & (flags.ringSize - 1)) !== 0) {
    throw new CommandError(`--ring-size ${flags.ringSize} is not a power of two, such as 4Mi, 8Mi or 16Mi`, MISUSE);
  }
  const { probeKernel } = await import('#bpf-agent/loader/kernel-support.ts');
  const support = probeKernel();
  if (!support.usable) throw new CommandError(`eBPF cannot be used here: ${support.reason}`);

  const { startAgent } = await import('#bpf-agent/start-agent.ts');
  const agent = await startAgent({
    node: flags.nodeName,
    cluster: flags.clusterName,
    version: packageVersion(),
    source,
    run,
    listen: flags.listen,
    credentials: await serverCredentialsOf(flags),
    metricsListen: flags.metricsListen,
    exports: await exportsOf(flags, packageVersion()),
    metrics: metricsOf(flags),
    cgroupRoot,
    procRoot: flags.procRoot,
    flows: flags.flows,
    policyAudit: flags.policyAudit,
    podCidrs: flags.podCidrs,
    cniConfDir: flags.cniConfDir,
    services: flags.services === 'on',
    datapath: {
      ringBytes: flags.ringSize,
      connections: flags.connections,
      policyEntries: flags.policyEntries,
      timeouts: Object.fromEntries(
        (Object.keys(TIMEOUTS) as TimeoutFlag[]).map((flag) => [timeoutOf(flag), flags[flag]]),
      ),
      ...(flags.attachMode === 'auto' ? {} : { attachMode: flags.attachMode }),
    },
    log,
  });
  log.info(
    { node: flags.nodeName, address: agent.address, metrics: agent.metricsAddress, socket: run.socket },
    `observing the pods of ${flags.nodeName}; flows at ${agent.address}`,
  );

  const signal = await new Promise<string>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(name, () => resolve(name));
  });
  await agent.stop();
  if (flags.detachOnExit) (await import('#bpf-agent/clean-up.ts')).cleanUp(run);
  log.info(flags.detachOnExit ? `${signal}: stopped, programs taken off` : `${signal}: stopped, programs stay at work`);
}

async function cleanUpAfter(flags: { runDir: string }): Promise<void> {
  const run = new RunDirectory(flags.runDir);
  if (await run.inUse()) throw new CommandError(`an agent runs on ${flags.runDir}: stop it first`);
  (await import('#bpf-agent/clean-up.ts')).cleanUp(run);
}

function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
