import type { LabelSet } from '../identity/label-set.ts';
import { RESERVED_IDENTITY } from '../identity/reserved.ts';
import {
  IN_CLUSTER,
  IN_NAMESPACE,
  IN_SERVICE_ACCOUNT,
  type Labels,
  NAMESPACE_LABEL,
  POD_LABEL,
  RESERVED_LABEL,
} from './selector.ts';

/** What policies can select a pod by. */
export function podLabels(set: LabelSet): Labels {
  const labels = new Map([
    [IN_NAMESPACE, set.namespace],
    [IN_CLUSTER, set.cluster],
    [IN_SERVICE_ACCOUNT, set.serviceAccount],
  ]);
  for (const [key, value] of Object.entries(set.podLabels)) labels.set(`${POD_LABEL}${key}`, value);
  for (const [key, value] of Object.entries(set.namespaceLabels)) labels.set(`${NAMESPACE_LABEL}${key}`, value);
  return labels;
}

// What a number stands for beside its own name: an API server on a node is a node, and each half of the world is the world.
const ALSO: Readonly<Record<string, string>> = {
  'kube-apiserver': 'remote-node',
  'world-ipv4': 'world',
  'world-ipv6': 'world',
};

/** Labels of the identities that stand for no pod, by number. */
export const RESERVED_LABELS: ReadonlyMap<number, Labels> = new Map(
  Object.entries(RESERVED_IDENTITY)
    .filter(([name]) => name !== 'unknown')
    .map(([name, number]) => {
      const names = Object.hasOwn(ALSO, name) ? [name, ALSO[name]!] : [name];
      return [number, new Map(names.map((label) => [`${RESERVED_LABEL}${label}`, '']))];
    }),
);

/** Reserved identities that count as the cluster. */
export const CLUSTER_ENTITIES = ['host', 'remote-node', 'kube-apiserver', 'init', 'ingress', 'health', 'unmanaged'];
