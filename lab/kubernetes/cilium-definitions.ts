import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { ApiError } from '#runtime/kubernetes/api-error.ts';

/**
 * Makes Cilium's policy kinds known to an API server, as installing Cilium would. Without Cilium's schemas: it is Waggle
 * that reads the policies, and says what is wrong with them.
 */
export async function defineCiliumKinds(client: ApiClient): Promise<void> {
  for (const [kind, plural, shortName, scope] of [
    ['CiliumNetworkPolicy', 'ciliumnetworkpolicies', 'cnp', 'Namespaced'],
    ['CiliumClusterwideNetworkPolicy', 'ciliumclusterwidenetworkpolicies', 'ccnp', 'Cluster'],
  ] as const) {
    const name = `${plural}.cilium.io`;
    const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
    await client.request('PATCH', `${definitions}/${name}`, {
      query: { fieldManager: 'waggle-lab', force: true },
      contentType: 'application/apply-patch+yaml',
      body: {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name },
        spec: {
          group: 'cilium.io',
          scope,
          names: { kind, plural, singular: kind.toLowerCase(), shortNames: [shortName] },
          versions: [
            {
              name: 'v2',
              served: true,
              storage: true,
              schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
            },
          ],
        },
      },
    });
    await served(client, `/apis/cilium.io/v2/${plural}`);
  }
}

async function served(client: ApiClient, path: string): Promise<void> {
  for (const deadline = Date.now() + 20_000; ; ) {
    try {
      await client.request('GET', path, { query: { limit: 1 } });
      return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404 || Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
