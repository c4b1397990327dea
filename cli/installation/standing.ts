import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { CommandError } from '../failure.ts';
import { getObject, type KubernetesObject, pathOf } from './kubernetes-object.ts';

const ENFORCED = 'pod-security.kubernetes.io/enforce';

interface Standing extends KubernetesObject {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly subjects?: readonly { readonly namespace?: string }[];
}

/**
 * Looks at what an installation would come upon, before it changes anything. Throws CommandError where it would break something of
 * somebody else: a release of Helm, an installation in another namespace, a namespace that holds pods to less than agents need.
 *
 * @returns whether the namespace is Waggle's to make, and so to delete again
 */
export async function checkStanding(client: ApiClient, namespace: string): Promise<{ ownsNamespace: boolean }> {
  const home = await getObject<Standing>(client, pathOf('Namespace', '', namespace));
  if (home?.metadata.deletionTimestamp !== undefined) {
    throw new CommandError(`namespace ${namespace} is being deleted: run this again when it is gone`);
  }
  const binding = await getObject<Standing>(client, pathOf('ClusterRoleBinding', '', 'waggle-agent'));
  const elsewhere = binding?.subjects?.find((subject) => subject.namespace !== namespace)?.namespace;
  const release = binding?.metadata.annotations?.['meta.helm.sh/release-name'];
  if (release !== undefined) {
    throw new CommandError(
      `Helm installed Waggle here: helm upgrade -n ${elsewhere ?? namespace} ${release} ./deploy/helm/waggle`,
    );
  }
  if (elsewhere !== undefined) {
    throw new CommandError(
      `Waggle is installed in namespace ${elsewhere}, and a node has one agent: choose it with -n, or uninstall it there first`,
    );
  }
  const labels = home?.metadata.labels ?? {};
  const ownsNamespace = home === undefined || labels['app.kubernetes.io/part-of'] === 'waggle';
  const enforced = labels[ENFORCED] ?? 'privileged';
  if (!ownsNamespace && enforced !== 'privileged') {
    throw new CommandError(
      `namespace ${namespace} admits only ${enforced} pods, which agents are not: choose another with -n, or allow it with ` +
        `kubectl label namespace ${namespace} ${ENFORCED}=privileged --overwrite`,
    );
  }
  return { ownsNamespace };
}
