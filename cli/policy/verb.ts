import { Command, Option } from 'commander';
import { type Finding, findingText } from '#core/policy/finding.ts';
import { DEFAULT_LAB_NAME } from '#lab/lab-layout.ts';
import { readSources } from '#lab/manifest/read-sources.ts';
import { addSettings } from '#runtime/settings/setting.ts';
import { CommandError } from '../failure.ts';
import { outputSetting } from '../output-setting.ts';
import { labSources, type ReadCluster, readCluster, withPolicies } from './read-cluster.ts';

/** Which cluster is meant. */
export interface From {
  readonly name: string;
  readonly manifests?: string[];
}

export interface Output {
  readonly output: 'text' | 'json';
}

/** A verb of `waggle policy`, with what all of them take. */
export function verb(name: string, description: string): Command {
  const command = new Command(name).description(description);
  command.addOption(
    new Option('--name <lab>', 'the lab whose pods and policies are meant')
      .env('WAGGLE_LAB_NAME')
      .default(DEFAULT_LAB_NAME),
  );
  command.option('-m, --manifests <path...>', 'pods, namespaces and policies of these manifests instead of a lab');
  return addSettings(command, outputSetting);
}

/** What an agent knows and the cluster's state does not: what the policy was before. */
const STAND_IN =
  'taken here for one that closes the pods it may be about; agents that could read it before keep what it said then';

function clusterOf({ name, manifests }: From): ReadCluster {
  return manifests === undefined
    ? readCluster(labSources(name), { workloads: false, name })
    : readCluster(readSources(manifests), { workloads: true });
}

/** The cluster, or an end with every reason why it cannot be read. */
export function usableCluster(from: From, filename: string[] = []): ReadCluster {
  const cluster = clusterOf(from);
  const more = filename.length === 0 ? undefined : readCluster(readSources(filename), { workloads: true });
  refuse([...cluster.findings, ...(more?.findings ?? [])]);
  for (const found of cluster.unusable) {
    if (found.severity === 'error') process.stderr.write(`${findingText(found)}\n    ${STAND_IN}\n`);
  }
  return more === undefined ? cluster : withPolicies(cluster, more.policies);
}

/** Ends with every error among the findings, if there is one. */
export function refuse(findings: readonly Finding[]): void {
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new CommandError(errors.map(findingText).join('\n'));
}

/** As JSON, on standard output. */
export function print(value: unknown): void {
  console.log(JSON.stringify(value, null, 2));
}
