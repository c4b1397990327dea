import { type Command, Option } from 'commander';
import { LabClient } from '#lab/client.ts';
import type { ObjectName } from '#lab/control-requests.ts';
import { objectTable } from '#lab/get-table.ts';
import { KINDS, type Kind, kindByWord } from '#lab/manifest/kinds.ts';
import { type ManifestSource, readSources } from '#lab/manifest/read-sources.ts';
import type { KubeObject } from '#lab/store/objects.ts';
import { CommandError, MISUSE } from '../failure.ts';
import { failOnProblems, objectText, tellApplied, tellDeleted } from './tell-objects.ts';
import { type Named, outputOption, verb } from './verb.ts';

const namespaceOption = new Option('-n, --namespace <namespace>', 'namespace of objects that name none').default(
  'default',
);
const filesOption = new Option('-f, --filename <path...>', 'manifests: files, folders, or - for standard input');

export function applyCommand(): Command {
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
        if (output === 'json') console.log(JSON.stringify(response, null, MISUSE));
        else tellApplied(response);
        failOnProblems(response.problems);
      },
    );
}

export function deleteCommand(): Command {
  return verb('delete', 'delete objects, named or in manifests; returns when they are gone')
    .argument('[kind]', 'such as pod')
    .argument('[names...]')
    .addOption(new Option(filesOption.flags, filesOption.description))
    .addOption(namespaceOption)
    .action(
      async (word: string | undefined, names: string[], flags: Named & { filename?: string[]; namespace: string }) => {
        const { filename, namespace } = flags;
        if ((word === undefined) === (filename === undefined))
          throw new CommandError('give -f, or a kind and names', MISUSE);
        const sources: ManifestSource[] = filename === undefined ? [] : readSources(filename);
        const kind = word === undefined ? undefined : knownKind(word);
        if (kind && names.length === 0) throw new CommandError(`which of the ${kind.plural}? Give their names`, MISUSE);
        const objects = kind ? names.map((object) => objectName(kind, object, namespace)) : [];
        const response = await new LabClient(flags.name).delete({ sources, objects }, namespace);
        tellDeleted(response, kind !== undefined);
      },
    );
}

export function getCommand(): Command {
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
    console.log(JSON.stringify(names.length === 1 && found.length === 1 ? found[0] : list, null, MISUSE));
  } else if (found.length === 0 && names.length === 0) {
    console.error(allNamespaces ? 'No resources found' : `No resources found in ${namespace} namespace.`);
  }
  const missing = names.filter((name) => !found.some(({ metadata }) => metadata.name === name));
  if (missing.length > 0) {
    throw new CommandError(`${kinds.map(({ plural }) => plural).join()} not found: ${missing.join(', ')}`);
  }
}

export function scaleCommand(): Command {
  return verb('scale', 'set how many pods a Deployment has')
    .argument('<namespace/deployment=replicas...>', 'such as default/web=3')
    .action(scale);
}

async function scale(wishes: string[], { name }: Named): Promise<void> {
  const lab = new LabClient(name);
  for (const wish of wishes) {
    const [, namespace, deployment, replicas] = /^([^/=]+)\/([^/=]+)=(\d{1,5})$/.exec(wish) ?? [];
    if (namespace === undefined || deployment === undefined) {
      throw new CommandError(`"${wish}" is not understood; expected namespace/deployment=replicas`, MISUSE);
    }
    console.log(`${objectText(await lab.scale(namespace, deployment, Number(replicas)))} scaled`);
  }
}

function knownKind(word: string): Kind {
  const kind = kindByWord(word);
  if (!kind)
    throw new CommandError(
      `the lab keeps no "${word}"; it keeps ${KINDS.map(({ plural }) => plural).join(', ')}`,
      MISUSE,
    );
  return kind;
}

function objectName({ kind, namespaced }: Kind, name: string, namespace: string): ObjectName {
  return namespaced ? { kind, name, namespace } : { kind, name };
}

function sortKey({ metadata }: { metadata: { namespace?: string; name: string } }): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
