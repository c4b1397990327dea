import type { Command } from 'commander';
import { protocols } from '#core/flow/protocol.ts';
import type { ConnectionDecision } from '#core/policy/connection.ts';
import { type Change, type ConnectionChange, diffConnections, tellingEnd } from '#core/policy/diff.ts';
import { reasonText } from '#core/policy/reason.ts';
import { readSources } from '#lab/manifest/read-sources.ts';
import { count } from '#runtime/settings/parsers.ts';
import { addSettings, setting } from '#runtime/settings/setting.ts';
import { CommandError } from '../failure.ts';
import { serverSetting } from '../relay-setting.ts';
import { type LiveConnection, liveConnections } from './live-connections.ts';
import { readCluster, withPolicies } from './read-cluster.ts';
import { type From, type Output, print, refuse, usableCluster, verb } from './verb.ts';

interface Flags extends From, Output {
  readonly filename: string[];
  readonly server: string;
  readonly last: number;
  readonly json: boolean;
}

const DEFAULT_LAST = 65_536;
/** Exit codes: as `diff`'s, so that a pipeline can tell a finding from trouble. */
const EXIT = { nobodyCutOff: 0, cutOff: 1, trouble: 2 } as const;

const HEADINGS: Readonly<Record<Change, string>> = {
  'cut-off': 'would be cut off',
  'let-in': 'would be let in',
  audited: 'would be reported by audit',
  cleared: 'would no longer be reported by audit',
};

/** `waggle policy diff`: what policies would do to the connections there are, before they are applied. */
export function diffVerb(): Command {
  const command = verb(
    'diff',
    'who of those that talk now would be cut off or let in: exit code 1 when someone is cut off',
  )
    .requiredOption('-f, --filename <path...>', 'policies to apply: files, folders, or - for standard input')
    .option('--json', 'the same as -o json', false);
  return addSettings(
    command,
    serverSetting,
    setting<number>({
      flags: '--last <count>',
      description: 'how many of the latest flows to look at',
      parser: count(1, 16_777_216),
      default: DEFAULT_LAST,
      environment: false,
    }),
  ).action(diff);
}

async function diff(flags: Flags): Promise<void> {
  try {
    await compare(flags);
  } catch (error) {
    // Exit code 1 says that somebody would be cut off.
    throw error instanceof CommandError ? new CommandError(error.message, EXIT.trouble) : error;
  }
}

async function compare(flags: Flags): Promise<void> {
  const cluster = usableCluster(flags);
  const more = readCluster(readSources(flags.filename), { workloads: true });
  refuse(more.findings);
  if (more.policies.length === 0) throw new CommandError('there is no policy in what -f names');
  const connections = await liveConnections(cluster, flags.server, flags.last);
  const changes = diffConnections(cluster.engine, withPolicies(cluster, more.policies).engine, connections);
  const counts = Object.fromEntries(
    Object.keys(HEADINGS).map((change) => [change, changes.filter((entry) => entry.change === change).length]),
  ) as Record<Change, number>;
  if (flags.json || flags.output === 'json') {
    print({
      policies: more.policies.map(({ reference }) => reference),
      connections: connections.length,
      counts,
      changes: changes.map(plain),
    });
  } else {
    console.log(text(changes, connections.length));
  }
  process.exitCode = counts['cut-off'] > 0 ? EXIT.cutOff : EXIT.nobodyCutOff;
}

function text(changes: readonly ConnectionChange<LiveConnection>[], connections: number): string {
  const lines = Object.entries(HEADINGS).flatMap(([change, heading]) => {
    const own = changes.filter((entry) => entry.change === change);
    return own.length === 0 ? [] : [`${heading} (${own.length}):`, ...own.flatMap(changeLines), ''];
  });
  const looked = `${connections} ${connections === 1 ? 'kind' : 'kinds'} of connections looked at`;
  if (connections === 0) return `${looked}: nothing has flowed yet, so nothing can be said`;
  return changes.length === 0 ? `${looked}: nothing changes for any of them` : [...lines, looked].join('\n');
}

function changeLines({ connection, after }: ConnectionChange<LiveConnection>): string[] {
  const { from, to, protocol, port, flows, lastMs } = connection;
  const what = `${protocols.name(protocol)} ${port}`;
  return [
    `  ${from} → ${to}, ${what}   ${flows} ${flows === 1 ? 'flow' : 'flows'}, last at ${new Date(lastMs).toISOString()}`,
    `      ${because(after)}`,
  ];
}

/** `ingress: no rule allows it; closed by NetworkPolicy stars/default-deny` */
function because(decision: ConnectionDecision): string {
  const end = tellingEnd(decision);
  if (end === undefined) return 'neither end is a pod';
  return `${end.direction}: ${reasonText(end.decision.audit ?? end.decision.reason)}`;
}

function plain({ connection, change, before, after }: ConnectionChange<LiveConnection>) {
  const { from, to, protocol, port, flows, lastMs } = connection;
  return {
    change,
    from,
    to,
    protocol: protocols.name(protocol),
    port,
    flows,
    last: new Date(lastMs).toISOString(),
    before: { verdict: before.verdict, because: because(before) },
    after: { verdict: after.verdict, because: because(after) },
  };
}
