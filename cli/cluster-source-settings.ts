import { FolderSource } from '#runtime/cluster/folder-source.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import { ApiAccessError } from '#runtime/kubernetes/api-access.ts';
import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import type { Logger } from '#runtime/log.ts';
import { oneOf, path, text } from '#runtime/settings/parsers.ts';
import { type Setting, setting } from '#runtime/settings/setting.ts';
import { CommandError } from './failure.ts';

export interface KubernetesFlags {
  kubeconfig?: string;
  kubeContext?: string;
}

export interface ClusterSourceFlags extends KubernetesFlags {
  source: 'folder' | 'kubernetes';
  stateDir?: string;
}

/** What starts while the API is gone serves after this, says why in its readiness, and reads what there is when it is back. */
const PATIENCE_MS = 3_000;

/** Which cluster's API is meant. */
export function kubernetesSettings(): Setting<never>[] {
  return [
    setting<string>({
      flags: '--kubeconfig <file>',
      description:
        "how to reach the Kubernetes API (default: a pod's service account, else KUBECONFIG or ~/.kube/config)",
      parser: path,
    }),
    setting<string>({
      flags: '--kube-context <name>',
      description: 'a context of the kubeconfig (default: its current one)',
      parser: text,
    }),
  ];
}

/** Where the state of the cluster is read from. */
export function clusterSourceSettings(stateDir: string): Setting<never>[] {
  return [
    setting<string>({
      flags: '--source <kind>',
      description: 'where the state of the cluster comes from: a folder (--state-dir), or the Kubernetes API',
      parser: oneOf('folder', 'kubernetes'),
      default: 'folder',
    }),
    setting<string>({ flags: '--state-dir <dir>', description: stateDir, parser: path }),
    ...kubernetesSettings(),
  ];
}

/** Where a lab's agents, and a demo's backend, read the cluster's state. */
export function labSourceSetting(): Setting<never> {
  return setting<string>({
    flags: '--source <kind>',
    description:
      "where agents read the cluster's state: the lab's folder, or the API of a real kube-apiserver beside it",
    parser: oneOf('folder', 'kubernetes'),
    default: 'folder',
  });
}

/** Undefined where the folder is the source and none is named. Throws CommandError. */
export async function clusterSourceOf(
  flags: ClusterSourceFlags,
  log: Logger,
  { containerStatuses = true, keepIn }: { containerStatuses?: boolean; keepIn?: string } = {},
): Promise<ClusterSource | undefined> {
  if (flags.source === 'folder') return flags.stateDir === undefined ? undefined : new FolderSource(flags.stateDir);
  const client = await apiClientOf(flags);
  const { KubernetesSource } = await import('#runtime/cluster/kubernetes-source.ts');
  return new KubernetesSource({
    client,
    containerStatuses,
    keepIn,
    patienceMs: PATIENCE_MS,
    onWaiting: (problem) => log.warn({ problem }, 'waiting for the Kubernetes API'),
  });
}

/** Throws CommandError. */
export async function apiClientOf({ kubeconfig, kubeContext }: KubernetesFlags): Promise<ApiClient> {
  const { openApiClient } = await import('#runtime/kubernetes/open-client.ts');
  try {
    return await openApiClient({ kubeconfig, context: kubeContext });
  } catch (error) {
    if (error instanceof ApiAccessError) throw new CommandError(error.message);
    throw error;
  }
}
