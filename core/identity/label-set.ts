/**
 * What an identity stands for: everything about a pod that a policy can select by, and nothing about the single pod. Pods
 * with equal label sets are one to every policy, so they share one identity.
 */
export interface LabelSet {
  readonly cluster: string;
  readonly namespace: string;
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** Those that count: see relevant-labels.ts. */
  readonly podLabels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  /** Ports a policy can name. Two pods that give one name to different ports are two to a policy. */
  readonly namedPorts: readonly NamedPort[];
}

export interface NamedPort {
  readonly name: string;
  /** `TCP`, `UDP` or `SCTP`. */
  readonly protocol: string;
  /** 1..65,535 */
  readonly port: number;
}

/** Equal texts = equal label sets, whatever order their parts came in. Also the order in which collisions are settled. */
export function canonicalText(set: LabelSet): string {
  return JSON.stringify([
    set.cluster,
    set.namespace,
    sortedEntries(set.namespaceLabels),
    sortedEntries(set.podLabels),
    set.serviceAccount,
    canonicalPorts(set.namedPorts),
  ]);
}

/** Labels as flows show them, with their source prefix, sorted: `k8s:app=web`, `k8s:io.kubernetes.pod.namespace=shop`. */
export function identityLabels(set: LabelSet): string[] {
  return [
    ...Object.entries(set.podLabels).map(([key, value]) => `k8s:${key}=${value}`),
    ...Object.entries(set.namespaceLabels).map(([key, value]) => `k8s:io.cilium.k8s.namespace.labels.${key}=${value}`),
    `k8s:io.cilium.k8s.policy.cluster=${set.cluster}`,
    `k8s:io.cilium.k8s.policy.serviceaccount=${set.serviceAccount}`,
    `k8s:io.kubernetes.pod.namespace=${set.namespace}`,
  ].sort(byCodeUnits);
}

/** Not localeCompare: every node has to sort alike, whatever its locale. */
export function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function sortedEntries(labels: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(labels).sort(([a], [b]) => byCodeUnits(a, b));
}

function canonicalPorts(ports: readonly NamedPort[]): [string, string, number][] {
  const seen = new Map<string, [string, string, number]>();
  for (const { name, protocol, port } of ports) seen.set(`${name}\0${protocol}\0${port}`, [name, protocol, port]);
  return [...seen].sort(([a], [b]) => byCodeUnits(a, b)).map(([, port]) => port);
}
