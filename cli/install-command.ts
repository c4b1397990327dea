import { Command } from 'commander';
import { duration, objectName } from '#runtime/settings/parsers.ts';
import { addSettings, setting } from '#runtime/settings/setting.ts';
import { apiClientOf, type KubernetesFlags, kubernetesSettings } from './cluster-source-settings.ts';
import { CommandError } from './failure.ts';
import { namespaceSetting } from './namespace-setting.ts';

interface InstallFlags extends KubernetesFlags {
  namespace: string;
  clusterName?: string;
  policyAudit: boolean;
  dryRun: boolean;
  wait: number;
}

/** `waggle install`: agents and backend into a cluster. */
export function installCommand(): Command {
  const command = new Command('install').description(
    'Install or upgrade Waggle in a Kubernetes cluster, from deploy/waggle.yaml, with certificates made here. ' +
      'Whoever wants to choose more takes the Helm chart, deploy/helm/waggle.',
  );
  addSettings(
    command,
    namespaceSetting,
    ...kubernetesSettings(),
    setting<string>({
      flags: '--cluster-name <name>',
      description: "the cluster's name (default: default)",
      parser: objectName,
    }),
    setting<boolean>({
      flags: '--policy-audit',
      description: 'evaluate network policies and report what they would drop, without dropping it',
      default: false,
    }),
    setting<boolean>({
      flags: '--dry-run',
      description: 'have the API server check everything, and change nothing',
      default: false,
      environment: false,
    }),
    setting<number>({
      flags: '--wait <duration>',
      description: 'how long to wait until all is ready; 0s does not wait',
      parser: duration(0),
      default: 300_000,
      defaultText: '5m',
    }),
  );
  return command.action(install);
}

async function install(flags: InstallFlags): Promise<void> {
  const { namespace, dryRun } = flags;
  const { applyObject, getObject, pathOf } = await import('./installation/kubernetes-object.ts');
  const { manifestObjects } = await import('./installation/manifest.ts');
  const { findObstacles } = await import('./installation/obstacles.ts');
  const { checkStanding } = await import('./installation/standing.ts');
  const client = await apiClientOf(flags);
  try {
    for (const obstacle of await findObstacles(client)) console.error(`waggle: beware: ${obstacle}`);
    const { ownsNamespace } = await checkStanding(client, namespace);
    const [home, ...objects] = manifestObjects(flags);
    // One that was there before is not ours to label, nor to delete with everything in it.
    if (ownsNamespace) await applyObject(client, home!, dryRun);
    if (!dryRun) {
      const { ensureCertificates } = await import('./installation/certificates.ts');
      for (const name of await ensureCertificates(client, namespace)) console.error(`certificate: ${name}`);
    }
    const there = !dryRun || (await getObject(client, pathOf('Namespace', '', namespace))) !== undefined;
    for (const object of objects) {
      if (!there && object.metadata.namespace !== undefined) {
        console.error(`${object.kind} ${object.metadata.name}: can be checked once namespace ${namespace} is there`);
        continue;
      }
      await applyObject(client, object, dryRun);
      console.error(`${object.kind} ${object.metadata.name}: ${dryRun ? 'would be applied' : 'applied'}`);
    }
    if (!dryRun && flags.wait > 0) await waitUntilReady(flags, client);
  } catch (error) {
    throw await explained(error);
  } finally {
    client.close();
  }
}

/** With what to do about it, where that is known. */
async function explained(error: unknown): Promise<unknown> {
  const { ApiError } = await import('#runtime/kubernetes/api-error.ts');
  if (!(error instanceof ApiError)) return error;
  if (error.status === 403)
    return new CommandError(`${error.message}; who installs must be allowed all of it, as cluster-admin is`);
  if (error.status === 422 && error.message.includes('immutable'))
    return new CommandError(
      `${error.message}; somebody else made it, or made it otherwise: delete that object, and run this again`,
    );
  return error;
}

async function waitUntilReady(
  { namespace, wait }: InstallFlags,
  client: Awaited<ReturnType<typeof apiClientOf>>,
): Promise<void> {
  const { isHealthy, readInstallation } = await import('./installation/read-installation.ts');
  const { installationText } = await import('./installation/installation-text.ts');
  for (const deadline = Date.now() + wait; ; ) {
    const installation = await readInstallation(client, namespace);
    if (isHealthy(installation) || Date.now() > deadline) {
      process.stdout.write(installationText(installation));
      if (!isHealthy(installation))
        throw new CommandError('not all is ready yet: waggle status --kubernetes says how it stands');
      console.log(`the page: kubectl -n ${namespace} port-forward deployment/waggle-backend 12000`);
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}
