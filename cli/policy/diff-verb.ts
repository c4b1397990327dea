import type { Command } from 'commander';
import { protocols } from '#core/flow/protocol.ts';
import type { ConnectionDecision } from '#core/policy/connection.ts';
import { type Change, type ConnectionChange, diffConnections, tellingEnd } from '#core/policy/diff.ts';
import type { Policy } from '#core/policy/policy.ts';
import { reasonText } from '#core/policy/reason.ts';
import { readSources } from '#lab/manifest/read-sources.ts';
import { count } from '#runtime/settings/parsers.ts';
import { addSettings, setting } from '#runtime/settings/setting.ts';
import { CommandError } from '../failure.ts';
import { serverSetting } from '../relay-setting.ts';
import { type LiveConnection, liveConnections } from './live-connections.ts';
import { findPolicy, POLICY_FORM } from './policy-name.ts';
import { readCluster, withoutPolicies, withPolicies } from './read-cluster.ts';
import { type From, type Output, print, refuse, usableCluster, verb } from './verb.ts';

interface Flags extends From, Output {
  readonly filename: string[];
  readonly delete: string[];
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
    .option('-f, --filename <path...>', 'policies to apply: files, folders, or - for standard input', [])
    .option('--delete <policy...>', `policies to delete: ${POLICY_FORM}`, [])
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
  const applied = policiesOf(flags.filename);
  const deleted = flags.delete.map((word) => findPolicy(cluster.policies, word));
  if (applied.length + deleted.length === 0) throw new CommandError('say what would change: with -f, --delete or both');
  const after = withPolicies(withoutPolicies(cluster, deleted), applied);
  const connections = await liveConnections(cluster, flags.server, flags.last);
  const changes = diffConnections(cluster.engine, after.engine, connections);
  const counts = Object.fromEntries(
    Object.keys(HEADINGS).map((change) => [change, changes.filter((entry) => entry.change === change).length]),
  ) as Record<Change, number>;
  if (flags.json || flags.output === 'json') {
    print({
      policies: applied.map(({ reference }) => reference),
      deleted: deleted.map(({ reference }) => reference),
      connections: connections.length,
      counts,
      changes: changes.map(plain),
    });
  } else {
    console.log(text(changes, connections.length));
  }
  process.exitCode = counts['cut-off'] > 0 ? EXIT.cutOff : EXIT.nobodyCutOff;
}

function policiesOf(filename: string[]): readonly Policy[] {
  if (filename.length === 0) return [];
  const { policies, findings } = readCluster(readSources(filename), { workloads: true });
  refuse(findings);
  if (policies.length === 0) throw new CommandError('there is no policy in what -f names');
  return policies;
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
