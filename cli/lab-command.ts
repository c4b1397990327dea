import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Argument, Command, Option } from 'commander';
import { formatProblem, type Problem } from '#core/manifest/document.ts';
import { LabClient } from '#lab/client.ts';
import type { AgentAction, ApplyResponse, DeleteResponse, ObjectName } from '#lab/control-requests.ts';
import { enterContainer } from '#lab/enter-container.ts';
import { objectTable, textTable } from '#lab/get-table.ts';
import { DEFAULT_LAB_NAME, labNameProblem } from '#lab/lab-layout.ts';
import { KINDS, type Kind, kindByWord, kindNamed } from '#lab/manifest/kinds.ts';
import { type ManifestSource, readSources } from '#lab/manifest/read-sources.ts';
import { listScenarios, scenarioSources, scenarioStages } from '#lab/scenario.ts';
import { startLab } from '#lab/start-lab.ts';
import type { KubeObject } from '#lab/store/objects.ts';
import { labExists, takeDown } from '#lab/take-down.ts';
import { count, InvalidValueError } from '#runtime/settings/parsers.ts';
import { addSettings, setting } from '#runtime/settings/setting.ts';
import { labSourceSetting } from './cluster-source-settings.ts';
import { CommandError } from './failure.ts';

const labName = setting<string>({
  flags: '--name <lab>',
  description: 'which lab; several can run side by side',
  environment: 'WAGGLE_LAB_NAME',
  parser: (text) => {
    if (labNameProblem(text) !== undefined) throw new InvalidValueError('up to 30 lower case letters, digits and "-"');
    return text;
  },
  default: DEFAULT_LAB_NAME,
});
const namespaceOption = new Option('-n, --namespace <namespace>', 'namespace of objects that name none').default(
  'default',
);
const filesOption = new Option('-f, --filename <path...>', 'manifests: files, folders, or - for standard input');

interface Named {
  name: string;
}

interface UpFlags extends Named {
  nodes: number;
  agent: boolean;
  cgroupDriver: 'systemd' | 'cgroupfs';
  source: 'folder' | 'kubernetes';
}

/** `waggle lab`: a small cluster on this machine. */
export function labCommand(): Command {
  const lab = new Command('lab').description(
    'A small cluster on this machine, from ordinary Kubernetes manifests: network namespaces as nodes and pods.',
  );
  lab.addCommand(upCommand());
  lab.addCommand(verb('down', 'remove a lab and everything of it, after a crash as well').action(down));
  lab.addCommand(verb('status', "the lab's nodes and their agents").addOption(outputOption()).action(status));
  lab.addCommand(applyCommand());
  lab.addCommand(deleteCommand());
  lab.addCommand(getCommand());
  lab.addCommand(execCommand());
  lab.addCommand(
    verb('logs', "what a pod's container printed")
      .argument('<namespace/pod>', 'a pod, or a workload for one of its pods')
      .option('-c, --container <name>', "the pod's first without it")
      .action(logs),
  );
  lab.addCommand(
    verb('scale', 'set how many pods a Deployment has')
      .argument('<namespace/deployment=replicas...>', 'such as default/web=3')
      .action(scale),
  );
  lab.addCommand(
    verb('scenario', 'apply a ready-made scenario to the running lab; "list" names them')
      .argument('<name>', 'a scenario, or "list"')
      .option(
        '--stage <letter>',
        'of a scenario that is walked in stages: apply all up to it, and take back what comes after',
      )
      .action(scenario),
  );
  lab.addCommand(
    verb('agent', "end or start a node's agent, to see what happens")
      .addArgument(new Argument('<action>').choices(['start', 'stop', 'restart', 'kill']))
      .argument('<node>')
      .action(async (action: AgentAction, node: string, { name }: Named) => {
        const { agent } = await new LabClient(name).agent(node, action);
        console.log(`agent of ${node}: ${agent}`);
      }),
  );
  return lab;
}

function verb(name: string, description: string): Command {
  return addSettings(new Command(name).description(description), labName);
}

function outputOption(): Option {
  return new Option('-o, --output <format>', 'what to print').choices(['table', 'wide', 'json']).default('table');
}

function upCommand(): Command {
  const command = verb('up', 'start a lab; returns when its nodes and agents stand');
  addSettings(
    command,
    setting<number>({
      flags: '--nodes <count>',
      description: 'how many nodes',
      environment: 'WAGGLE_LAB_NODES',
      parser: count(1, 32),
      default: 2,
    }),
    labSourceSetting(),
  );
  return command
    .option('--no-agent', 'leave the agents out, for baselines')
    .addOption(
      new Option('--cgroup-driver <driver>', "how the nodes' cgroups are named")
        .choices(['systemd', 'cgroupfs'])
        .default('systemd'),
    )
    .action(async (flags: UpFlags) => {
      const began = Date.now();
      await startLab({
        name: flags.name,
        nodes: flags.nodes,
        agents: flags.agent,
        cgroupDriver: flags.cgroupDriver,
        source: flags.source,
        detached: true,
        onProgress: (message) => console.error(message),
      });
      console.log(`lab "${flags.name}" is up: ${flags.nodes} nodes, ${((Date.now() - began) / 1000).toFixed(1)} s`);
    });
}

async function down({ name }: Named): Promise<void> {
  const there = labExists(name);
  await takeDown(name);
  console.log(there ? `lab "${name}" is removed` : `there was no lab "${name}"`);
}

async function status({ name, output }: Named & { output: string }): Promise<void> {
  const lab = await new LabClient(name).status();
  if (output === 'json') return console.log(JSON.stringify(lab, null, 2));
  const rows = lab.nodes.map(({ name: node, address, netns, agent }) => [node, address.v4, address.v6, netns, agent]);
  process.stdout.write(textTable([['NODE', 'IPV4', 'IPV6', 'NETWORK NAMESPACE', 'AGENT'], ...rows]));
}

function applyCommand(): Command {
  return verb('apply', 'create or change objects from manifests')
    .addOption(filesOption.makeOptionMandatory())
    .addOption(namespaceOption)
    .addOption(new Option('-o, --output <format>', 'what to print').choices(['text', 'json']).default('text'))
    .action(
      async ({
        name,
        filename,
        namespace,
        output,
      }: Named & { filename: string[]; namespace: string; output: string }) => {
        const response = await new LabClient(name).apply(readSources(filename), namespace);
        if (output === 'json') console.log(JSON.stringify(response, null, 2));
        else tellApplied(response);
        failOnProblems(response.problems);
      },
    );
}

function tellApplied({ results, problems, ignoredKinds }: ApplyResponse): void {
  for (const { outcome, ...object } of results) console.log(`${objectText(object)} ${outcome}`);
  tellIgnored(ignoredKinds);
  if (results.length + ignoredKinds.length + problems.length === 0) console.error('the manifests hold no object');
}

function tellIgnored(ignoredKinds: ApplyResponse['ignoredKinds']): void {
  for (const { kind, count: times } of ignoredKinds) {
    console.error(`${kind}: not kept by the lab, ignored${times > 1 ? ` (${times} objects)` : ''}`);
  }
}

function failOnProblems(problems: Problem[]): void {
  for (const problem of problems) console.error(formatProblem(problem));
  if (problems.length > 0) process.exitCode = 1;
}

function deleteCommand(): Command {
  return verb('delete', 'delete objects, named or in manifests; returns when they are gone')
    .argument('[kind]', 'such as pod')
    .argument('[names...]')
    .addOption(new Option(filesOption.flags, filesOption.description))
    .addOption(namespaceOption)
    .action(
      async (word: string | undefined, names: string[], flags: Named & { filename?: string[]; namespace: string }) => {
        const { filename, namespace } = flags;
        if ((word === undefined) === (filename === undefined))
          throw new CommandError('give -f, or a kind and names', 2);
        const sources: ManifestSource[] = filename === undefined ? [] : readSources(filename);
        const kind = word === undefined ? undefined : knownKind(word);
        if (kind && names.length === 0) throw new CommandError(`which of the ${kind.plural}? Give their names`, 2);
        const objects = kind ? names.map((object) => objectName(kind, object, namespace)) : [];
        const response = await new LabClient(flags.name).delete({ sources, objects }, namespace);
        tellDeleted(response, kind !== undefined);
      },
    );
}

function tellDeleted({ results, problems, ignoredKinds }: DeleteResponse, named: boolean): void {
  for (const { outcome, ...object } of results) {
    if (outcome === 'deleted') console.log(`${objectText(object)} deleted`);
    else console.error(`${objectText(object)} not found`);
  }
  tellIgnored(ignoredKinds);
  if (named && results.some(({ outcome }) => outcome === 'not found')) process.exitCode = 1;
  failOnProblems(problems);
}

function getCommand(): Command {
  return verb('get', 'list objects')
    .argument('<kind>', `${KINDS.map(({ plural }) => plural).join(', ')}; several apart by commas`)
    .argument('[names...]')
    .addOption(namespaceOption)
    .option('-A, --all-namespaces', 'of every namespace', false)
    .addOption(outputOption())
    .action(
      async (
        word: string,
        names: string[],
        flags: Named & { namespace: string; allNamespaces: boolean; output: string },
      ) => {
        await get(new LabClient(flags.name), word.split(',').map(knownKind), names, flags);
      },
    );
}

async function get(
  lab: LabClient,
  kinds: Kind[],
  names: string[],
  { namespace, allNamespaces, output }: { namespace: string; allNamespaces: boolean; output: string },
): Promise<void> {
  const wanted = ({ metadata }: KubeObject): boolean => names.length === 0 || names.includes(metadata.name);
  const found: KubeObject[] = [];
  for (const { kind } of kinds) {
    const objects = (await lab.list(kind, allNamespaces ? undefined : namespace)).filter(wanted);
    objects.sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1));
    if (output !== 'json' && objects.length > 0) {
      const table = objectTable(kind, objects, { wide: output === 'wide', namespaces: allNamespaces });
      process.stdout.write(found.length > 0 ? `\n${table}` : table);
    }
    found.push(...objects);
  }
  if (output === 'json') {
    const list = { apiVersion: 'v1', kind: 'List', items: found };
    console.log(JSON.stringify(names.length === 1 && found.length === 1 ? found[0] : list, null, 2));
  } else if (found.length === 0 && names.length === 0) {
    console.error(allNamespaces ? 'No resources found' : `No resources found in ${namespace} namespace.`);
  }
  const missing = names.filter((name) => !found.some(({ metadata }) => metadata.name === name));
  if (missing.length > 0) {
    throw new CommandError(`${kinds.map(({ plural }) => plural).join()} not found: ${missing.join(', ')}`);
  }
}

function execCommand(): Command {
  return verb('exec', 'run a command in a pod; its exit code is passed on')
    .argument('<namespace/pod>', 'a pod, or a workload for one of its pods')
    .argument('<command...>', 'after --')
    .option('-c, --container <name>', "the pod's first without it")
    .action(async (pod: string, command: string[], { name, container }: Named & { container?: string }) => {
      const [namespace, podName] = podReference(pod);
      const target = await new LabClient(name).execTarget(namespace, podName, container);
      const { file, args, options } = enterContainer(target, command);
      const child = spawn(file, args, { ...options, stdio: 'inherit' });
      // Ctrl-C is for the command, which shares this terminal; its end is ours.
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
        process.on(signal, () => signal !== 'SIGINT' && child.kill(signal));
      }
      process.exitCode = await new Promise<number>((resolve, reject) => {
        child.on('error', reject);
        child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? 'SIGKILL']));
      });
    });
}

async function logs(pod: string, { name, container }: Named & { container?: string }): Promise<void> {
  const [namespace, podName] = podReference(pod);
  process.stdout.write(await new LabClient(name).log(namespace, podName, container));
}

async function scale(wishes: string[], { name }: Named): Promise<void> {
  const lab = new LabClient(name);
  for (const wish of wishes) {
    const [, namespace, deployment, replicas] = /^([^/=]+)\/([^/=]+)=(\d{1,5})$/.exec(wish) ?? [];
    if (namespace === undefined || deployment === undefined) {
      throw new CommandError(`"${wish}" is not understood; expected namespace/deployment=replicas`, 2);
    }
    console.log(`${objectText(await lab.scale(namespace, deployment, Number(replicas)))} scaled`);
  }
}

async function scenario(wanted: string, { name, stage }: Named & { stage?: string }): Promise<void> {
  const scenarios = listScenarios();
  if (wanted === 'list') {
    process.stdout.write(textTable(scenarios.map((one) => [one.name, one.summary])));
    return;
  }
  const sources = scenarioSources(wanted);
  if (!sources) {
    throw new CommandError(
      `there is no scenario "${wanted}"; there are ${scenarios.map((one) => one.name).join(', ')}`,
      2,
    );
  }
  const stages = scenarioStages(wanted);
  const last = stage === undefined ? 0 : stages.findIndex(({ letter }) => letter === stage);
  if (last < 0) {
    const known = stages.map(({ letter }) => letter).join(', ') || 'none';
    throw new CommandError(`scenario ${wanted} has no stage "${stage}"; it has ${known}`, 2);
  }
  const lab = new LabClient(name);
  const later = stages.slice(last + 1).map(({ source }) => source);
  if (later.length > 0) await lab.delete({ sources: later });
  const response = await lab.apply(
    stages.length === 0 ? sources : stages.slice(0, last + 1).map(({ source }) => source),
  );
  tellApplied(response);
  failOnProblems(response.problems);
  for (const [index, { letter, summary }] of stages.entries()) {
    const here = index === last ? '>' : ' ';
    console.log(`${here} ${letter}  ${summary}`);
  }
}

function knownKind(word: string): Kind {
  const kind = kindByWord(word);
  if (!kind)
    throw new CommandError(`the lab keeps no "${word}"; it keeps ${KINDS.map(({ plural }) => plural).join(', ')}`, 2);
  return kind;
}

function objectName({ kind, namespaced }: Kind, name: string, namespace: string): ObjectName {
  return namespaced ? { kind, name, namespace } : { kind, name };
}

/** `deployment.apps/web`, as kubectl names what it did. */
function objectText({ kind, name }: ObjectName): string {
  const { group } = kindNamed(kind);
  return `${kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${name}`;
}

/** Reads "namespace/pod"; without a namespace it is "default". */
function podReference(text: string): [string, string] {
  const [namespace = '', pod = '', ...rest] = text.includes('/') ? text.split('/') : ['default', text];
  if (namespace === '' || pod === '' || rest.length > 0) {
    throw new CommandError(`"${text}" is not understood; expected namespace/pod`, 2);
  }
  return [namespace, pod];
}

function sortKey({ metadata }: { metadata: { namespace?: string; name: string } }): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
