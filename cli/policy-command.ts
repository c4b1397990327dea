import { Command } from 'commander';
import { textTable } from '#core/observe/text-table.ts';
import { checkPolicies } from '#core/policy/check-policies.ts';
import { explain, explanationText } from '#core/policy/explain.ts';
import { findingText } from '#core/policy/finding.ts';
import { policyText } from '#core/policy/reference.ts';
import { readSources } from '#lab/manifest/read-sources.ts';
import { addSettings, setting } from '#runtime/settings/setting.ts';
import { CommandError } from './failure.ts';
import { diffVerb } from './policy/diff-verb.ts';
import { findParty, PARTY_FORM, partiesOf, partyText } from './policy/find-party.ts';
import { policyRows } from './policy/policy-rows.ts';
import { type ReadCluster, readCluster, withPolicies } from './policy/read-cluster.ts';
import { readTestCases, runTestCases } from './policy/test-cases.ts';
import { TRANSPORT_FORM, type Transport, transportParser } from './policy/transport.ts';
import { type From, type Output, print, refuse, usableCluster, verb } from './policy/verb.ts';

/** `waggle policy`: what policies say, without asking the kernel. */
export function policyCommand(): Command {
  const policy = new Command('policy').description('network policy: what it says, of whom, and what is wrong with it');
  policy.addCommand(verb('get', 'policies with the pods they select').action(get));
  policy.addCommand(
    addSettings(
      verb('explain', 'whether a connection is allowed, and every rule that has a say in it')
        .requiredOption('--from <end>', `who opens it: ${PARTY_FORM}`)
        .requiredOption('--to <end>', 'to whom, likewise')
        .option('-f, --filename <path...>', 'policies as if they had been applied: files, folders, or -'),
      setting<Transport>({
        flags: '--port <port>',
        description: TRANSPORT_FORM,
        parser: transportParser,
        required: true,
        environment: false,
      }),
    ).action(explainConnection),
  );
  policy.addCommand(
    verb('test', 'run expectations: exit code 1 when one does not hold')
      .requiredOption(
        '-f, --filename <path...>',
        'cases: [{ from, to, port, expect: allowed|denied|audited, because }]',
      )
      .action(test),
  );
  policy.addCommand(
    verb('validate', 'check policies: exit code 1 when one cannot be used')
      .requiredOption('-f, --filename <path...>', 'policies: files, folders, or - for standard input')
      .option('--against-lab', 'also against the pods of the running lab', false)
      .option('--strict', 'exit code 1 for warnings too', false)
      .action(validate),
  );
  policy.addCommand(diffVerb());
  return policy;
}

function get(flags: From & Output): void {
  const rows = policyRows(usableCluster(flags));
  if (flags.output === 'json') {
    print(rows);
    return;
  }
  const cells = rows.map((row) => [
    row.policy,
    row.enforcement,
    row.closes,
    `${row.rules}`,
    `${row.pods.length}`,
    row.pods.join(', '),
  ]);
  process.stdout.write(textTable([['POLICY', 'ENFORCEMENT', 'CLOSES', 'RULES', 'PODS', 'SELECTED'], ...cells]));
}

function explainConnection(
  flags: From & Output & { from: string; to: string; port: Transport; filename?: string[] },
): void {
  const cluster = usableCluster(flags, flags.filename);
  const [from, to] = [findParty(cluster, flags.from), findParty(cluster, flags.to)];
  const ends = partiesOf(from, to);
  const { protocol, port, text } = flags.port;
  const explanation = explain(cluster.engine, { ...ends, protocol, port });
  if (flags.output === 'json') {
    const { verdict, egress, ingress } = explanation;
    print({ from: from.name, to: to.name, port: text, verdict, egress, ingress });
    return;
  }
  const [source, destination] = [partyText(from, ends.source), partyText(to, ends.destination)];
  console.log(`${source} → ${destination}, ${text}: ${explanation.verdict}`);
  console.log(explanationText(explanation));
}

function test(flags: From & Output & { filename: string[] }): void {
  const { cases, findings } = readTestCases(readSources(flags.filename));
  refuse(findings);
  if (cases.length === 0) throw new CommandError('there is no case to test');
  const results = runTestCases(usableCluster(flags), cases);
  const failed = results.filter(({ passed }) => !passed).length;
  if (flags.output === 'json') print(results);
  else {
    for (const { case: entry, passed, outcome } of results) {
      const { from, to, transport, expect, place } = entry;
      console.log(`${passed ? 'ok  ' : 'FAIL'} ${place} ${from} → ${to}, ${transport.text}: ${expect}`);
      if (!passed)
        console.log(`     ${outcome}${entry.because === '' ? '' : ` (expected because of "${entry.because}")`}`);
    }
    console.log(`${results.length - failed} of ${results.length} hold`);
  }
  if (failed > 0) process.exitCode = 1;
}

function validate(flags: From & Output & { filename: string[]; againstLab: boolean; strict: boolean }): void {
  const read = readCluster(readSources(flags.filename), { workloads: true });
  const cluster =
    flags.againstLab || flags.manifests !== undefined ? withPolicies(usableCluster(flags), read.policies) : read;
  // A file that is empty, or another than was meant, must not pass a pipeline for sound.
  if (read.policies.length === 0 && read.findings.length === 0) {
    throw new CommandError('there is no policy in what -f names');
  }
  const own = new Set(read.policies.map(({ reference }) => policyText(reference)));
  const findings = [...read.findings];
  // Without pods there is nothing to check against.
  if (cluster.pods.length > 0) {
    const files = new Set(read.policies.map(({ place }) => place?.file));
    findings.push(...checkPolicies(cluster.engine, nameIn(cluster)).filter(({ file }) => files.has(file)));
  }
  if (flags.output === 'json') print({ policies: [...own], findings });
  else {
    for (const entry of findings) console.log(`${findingText(entry)}\n    fix: ${entry.fix}`);
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    const counts = [counted(errors, 'error'), counted(findings.length - errors, 'warning')].join(', ');
    console.log(`${own.size} of the policies can be used; ${counts}`);
  }
  if (findings.some(({ severity }) => flags.strict || severity === 'error')) process.exitCode = 1;
}

function nameIn({ pods }: ReadCluster): (identity: number) => string {
  const names = new Map(pods.map((pod) => [pod.identity, `${pod.namespace}/${pod.workload.name}`]));
  return (identity) => names.get(identity) ?? `identity ${identity}`;
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
