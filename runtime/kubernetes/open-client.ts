import { ApiAccessError } from './api-access.ts';
import { ApiClient } from './api-client.ts';
import { inClusterAccess } from './in-cluster.ts';
import { defaultKubeconfig, kubeconfigAccess } from './kubeconfig.ts';

export interface ApiClientOptions {
  /** A kubeconfig; default: the pod's service account where there is one, else what kubectl would take. */
  readonly kubeconfig?: string;
  /** One of its contexts; default: its current one. */
  readonly context?: string;
}

/** A client of the cluster that is meant. Throws ApiAccessError; the server is not asked yet. */
export async function openApiClient({ kubeconfig, context }: ApiClientOptions = {}): Promise<ApiClient> {
  if (kubeconfig !== undefined) return new ApiClient(await kubeconfigAccess(kubeconfig, context));
  if (process.env.KUBERNETES_SERVICE_HOST) return new ApiClient(await inClusterAccess());
  const found = await defaultKubeconfig();
  if (found === undefined) {
    throw new ApiAccessError('no Kubernetes cluster is known: name a kubeconfig with --kubeconfig or KUBECONFIG');
  }
  return new ApiClient(await kubeconfigAccess(found, context));
}
