import { Command } from 'commander';
import { duration } from '#runtime/settings/parsers.ts';
import { addSettings, setting } from '#runtime/settings/setting.ts';
import { apiClientOf, type KubernetesFlags, kubernetesSettings } from './cluster-source-settings.ts';
import { namespaceSetting } from './namespace-setting.ts';

interface UninstallFlags extends KubernetesFlags {
  namespace: string;
  leaveNodes: boolean;
  wait: number;
}

/** `waggle uninstall`: everything out of a cluster again, nodes first. */
export function uninstallCommand(): Command {
  const command = new Command('uninstall').description(
    'Take Waggle out of a Kubernetes cluster: programs, maps and files off every node, then what is installed. ' +
      'The namespace goes if Waggle made it.',
  );
  addSettings(
    command,
    namespaceSetting,
    ...kubernetesSettings(),
    setting<boolean>({
      flags: '--leave-nodes',
      description: 'do not wait for nodes: their programs stay at work until they restart',
      default: false,
      environment: false,
    }),
    setting<number>({
      flags: '--wait <duration>',
      description: 'how long nodes may take',
      parser: duration(0),
      default: 300_000,
      defaultText: '5m',
    }),
  );
  return command.action(uninstall);
}

async function uninstall(flags: UninstallFlags): Promise<void> {
  const { namespace } = flags;
  const { cleanNodes } = await import('./installation/clean-nodes.ts');
  const { deleteObject, getObject, INSTALLED_KINDS, pathOf } = await import('./installation/kubernetes-object.ts');
  const client = await apiClientOf(flags);
  try {
    if (!flags.leaveNodes) {
      const nodes = await cleanNodes(client, namespace, flags.wait, (text) => console.error(text));
      console.error(`${nodes} nodes are clean`);
    }
    let deleted = 0;
    for (const { kind } of [...INSTALLED_KINDS].reverse()) {
      const labelSelector = 'app.kubernetes.io/part-of=waggle';
      const { items = [] } = await client.request<{ items?: { metadata: { name: string; namespace?: string } }[] }>(
        'GET',
        pathOf(kind, namespace),
        { query: { labelSelector } },
      );
      for (const { metadata } of items) {
        // Cluster-wide ones may be another installation's.
        if (kind === 'Namespace' && metadata.name !== namespace) continue;
        if (kind.startsWith('ClusterRole') && !(await bindsHere(metadata.name))) continue;
        if (await deleteObject(client, pathOf(kind, namespace, metadata.name))) deleted++;
      }
    }
    console.log(
      deleted === 0 ? `nothing of Waggle is in namespace ${namespace}` : `Waggle is removed: ${deleted} objects`,
    );
  } finally {
    client.close();
  }

  /** A binding names its namespace; a role whose binding went just before was this installation's. */
  async function bindsHere(name: string): Promise<boolean> {
    const binding = await getObject<{ subjects?: { namespace?: string }[] }>(
      client,
      pathOf('ClusterRoleBinding', namespace, name),
    );
    return binding === undefined || (binding.subjects ?? []).some((subject) => subject.namespace === namespace);
  }
}
