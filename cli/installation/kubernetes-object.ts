import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { ApiError } from '#runtime/kubernetes/api-error.ts';

/** As much of an object as it takes to find and apply it. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** The kinds Waggle is installed as; by this list `waggle uninstall` finds what to delete. The last go first. */
export const INSTALLED_KINDS: readonly {
  readonly kind: string;
  readonly apiVersion: string;
  readonly plural: string;
}[] = [
  { kind: 'Namespace', apiVersion: 'v1', plural: 'namespaces' },
  { kind: 'ResourceQuota', apiVersion: 'v1', plural: 'resourcequotas' },
  { kind: 'ServiceAccount', apiVersion: 'v1', plural: 'serviceaccounts' },
  { kind: 'Secret', apiVersion: 'v1', plural: 'secrets' },
  { kind: 'ClusterRole', apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'clusterroles' },
  { kind: 'ClusterRoleBinding', apiVersion: 'rbac.authorization.k8s.io/v1', plural: 'clusterrolebindings' },
  { kind: 'NetworkPolicy', apiVersion: 'networking.k8s.io/v1', plural: 'networkpolicies' },
  { kind: 'Service', apiVersion: 'v1', plural: 'services' },
  { kind: 'PodDisruptionBudget', apiVersion: 'policy/v1', plural: 'poddisruptionbudgets' },
  { kind: 'DaemonSet', apiVersion: 'apps/v1', plural: 'daemonsets' },
  { kind: 'Deployment', apiVersion: 'apps/v1', plural: 'deployments' },
];

const CLUSTER_WIDE = ['Namespace', 'ClusterRole', 'ClusterRoleBinding'];
const FIELD_MANAGER = 'waggle-install';

/** Of the collection, or of one object of it. */
export function pathOf(kind: string, namespace: string, name?: string): string {
  const found = INSTALLED_KINDS.find((known) => known.kind === kind);
  if (found === undefined) throw new TypeError(`${kind} is no kind of the installation`);
  const root = found.apiVersion.includes('/') ? `/apis/${found.apiVersion}` : `/api/${found.apiVersion}`;
  const place = CLUSTER_WIDE.includes(kind) ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${place}/${found.plural}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`;
}

/** Server-side apply: makes it, or changes what of it is ours. */
export async function applyObject(client: ApiClient, object: KubernetesObject, dryRun = false): Promise<void> {
  const { kind, metadata } = object;
  await client.request('PATCH', pathOf(kind, metadata.namespace ?? '', metadata.name), {
    query: { fieldManager: FIELD_MANAGER, force: true, dryRun: dryRun ? 'All' : undefined },
    contentType: 'application/apply-patch+yaml',
    body: object,
  });
}

/** Undefined where there is none. */
export async function getObject<T>(client: ApiClient, path: string): Promise<T | undefined> {
  try {
    return await client.request<T>('GET', path);
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

/** Whether there was one. */
export async function deleteObject(client: ApiClient, path: string): Promise<boolean> {
  try {
    await client.request('DELETE', path, { query: { propagationPolicy: 'Background' } });
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}
