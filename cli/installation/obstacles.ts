import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { ApiError } from '#runtime/kubernetes/api-error.ts';

interface Named {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
  readonly handler?: string;
  readonly spec?: { readonly bpfEnabled?: boolean; readonly bpfRedirectToPeer?: string };
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
/** Calico's settings, of its own definitions and of those that it has been moving to. */
const CALICO = ['crd.projectcalico.org/v1', 'projectcalico.org/v3'] as const;
const CALICO_REDIRECTS =
  "Calico's eBPF dataplane hands packets to pods past the end of the pair where agents look: what comes in is neither seen nor kept out; " +
  'set bpfRedirectToPeer: Disabled in felixconfiguration default, or take its iptables or nftables';
const SANDBOXES = /^(runsc|gvisor|kata.*)$/;

/** What about this cluster keeps agents from seeing some of its pods, one line each. */
export async function findObstacles(client: ApiClient): Promise<string[]> {
  const found: string[] = [];
  for (const { labels, text } of NETWORKS) {
    const sets = await list(client, '/apis/apps/v1/daemonsets', labels);
    if (sets.length > 0) found.push(text);
  }
  const calico = await Promise.all(CALICO.map((group) => list(client, `/apis/${group}/felixconfigurations`)));
  const redirects = ({ spec }: Named) => spec?.bpfEnabled === true && spec.bpfRedirectToPeer !== 'Disabled';
  if (calico.flat().some(redirects)) found.push(CALICO_REDIRECTS);
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
