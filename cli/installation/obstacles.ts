import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { ApiError } from '#runtime/kubernetes/api-error.ts';

interface Named {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly handler?: string;
}

/** DaemonSets of networks whose pods our agents do not see, and what to do instead. */
const NETWORKS: readonly { readonly labels: string; readonly text: string }[] = [
  {
    labels: 'k8s-app=cilium',
    text: "Cilium's own datapath carries the pods: install with agents off, in front of its Hubble Relay (docs/install.md#cilium)",
  },
  {
    labels: 'k8s-app=terway-eniip',
    text: 'Terway may connect pods by ipvlan, which agents do not see: choose its veth mode',
  },
  {
    labels: 'app=sriovdp',
    text: 'pods with SR-IOV devices are not seen on those devices, only on their veth pairs',
  },
];
const SANDBOXES = /^(runsc|gvisor|kata.*)$/;

/** What about this cluster keeps agents from seeing some of its pods, one line each. */
export async function findObstacles(client: ApiClient): Promise<string[]> {
  const found: string[] = [];
  for (const { labels, text } of NETWORKS) {
    const sets = await list(client, '/apis/apps/v1/daemonsets', labels);
    if (sets.length > 0) found.push(text);
  }
  const classes = await list(client, '/apis/node.k8s.io/v1/runtimeclasses');
  const sandboxes = classes.filter(({ handler = '' }) => SANDBOXES.test(handler)).map(({ metadata }) => metadata.name);
  if (sandboxes.length > 0) {
    found.push(
      `pods of runtime class ${sandboxes.join(', ')} have a network stack of their own: Services are not balanced in them`,
    );
  }
  return found;
}

/** Nothing where it may not be asked: this is advice. */
async function list(client: ApiClient, path: string, labelSelector?: string): Promise<Named[]> {
  try {
    return (await client.request<{ items: Named[] }>('GET', path, { query: { labelSelector, limit: 100 } })).items;
  } catch (error) {
    if (error instanceof ApiError && [403, 404].includes(error.status)) return [];
    throw error;
  }
}
