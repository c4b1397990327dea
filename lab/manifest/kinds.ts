/** A kind of object the lab keeps. */
export interface Kind {
  kind: string;
  plural: string;
  shortNames: string[];
  /** API group, "" for the core group. Any version of it is taken. */
  group: string;
  /** The version written to the state folder when the lab makes such an object itself. */
  apiVersion: string;
  namespaced: boolean;
  /** Whether manifests may bring it; the others are made by the lab alone. */
  appliable: boolean;
}

function kind(
  name: string,
  plural: string,
  apiVersion: string,
  shortNames: string[] = [],
  options: { namespaced?: boolean; appliable?: boolean } = {},
): Kind {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  const { namespaced = true, appliable = true } = options;
  return { kind: name, plural, shortNames, group, apiVersion, namespaced, appliable };
}

export const KINDS: readonly Kind[] = [
  kind('Node', 'nodes', 'v1', ['no'], { namespaced: false, appliable: false }),
  kind('Namespace', 'namespaces', 'v1', ['ns'], { namespaced: false }),
  kind('Pod', 'pods', 'v1', ['po']),
  kind('ReplicaSet', 'replicasets', 'apps/v1', ['rs'], { appliable: false }),
  kind('Deployment', 'deployments', 'apps/v1', ['deploy']),
  kind('DaemonSet', 'daemonsets', 'apps/v1', ['ds']),
  kind('Job', 'jobs', 'batch/v1'),
  kind('Service', 'services', 'v1', ['svc']),
  kind('ServiceCIDR', 'servicecidrs', 'networking.k8s.io/v1', [], { namespaced: false, appliable: false }),
  kind('EndpointSlice', 'endpointslices', 'discovery.k8s.io/v1'),
  kind('NetworkPolicy', 'networkpolicies', 'networking.k8s.io/v1', ['netpol']),
  kind('CiliumNetworkPolicy', 'ciliumnetworkpolicies', 'cilium.io/v2', ['cnp']),
  kind('CiliumClusterwideNetworkPolicy', 'ciliumclusterwidenetworkpolicies', 'cilium.io/v2', ['ccnp'], {
    namespaced: false,
  }),
];

/** The kind of a manifest, or undefined for one the lab does not keep. */
export function kindOfManifest(apiVersion: string, name: string): Kind | undefined {
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  return KINDS.find((candidate) => candidate.kind === name && candidate.group === group);
}

/** The kind a person means by "pods", "pod", "po" or "Pod". */
export function kindByWord(word: string): Kind | undefined {
  const wanted = word.toLowerCase();
  return KINDS.find(
    ({ kind: name, plural, shortNames }) =>
      name.toLowerCase() === wanted || plural === wanted || shortNames.includes(wanted),
  );
}

export function kindNamed(name: string): Kind {
  const found = KINDS.find((candidate) => candidate.kind === name);
  if (!found) throw new Error(`no kind ${name} in the lab`);
  return found;
}
