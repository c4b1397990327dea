/**
 * Which of a pod's labels make its identity. Controllers put labels on pods that differ from pod to pod or from one roll-out to the
 * next; with them every roll-out would be a new identity, and a StatefulSet as many as it has pods. What is left out is what Cilium
 * leaves out by default (`defaultLabelPrefixCfg` in cilium/cilium `pkg/labelsfilter/filter.go`; "Limiting Identity-Relevant Labels" in
 * its documentation): there, as here, policies cannot select by such a label. Labels of namespaces all count.
 */

/** Keys that begin so are left out. `app.kubernetes.io/…` begins with none of them. */
const IRRELEVANT_PREFIXES = [
  'io.kubernetes',
  'kubernetes.io',
  'k8s.io',
  'statefulset.kubernetes.io/pod-name',
  'apps.kubernetes.io/pod-index',
  'batch.kubernetes.io/job-completion-index',
  'batch.kubernetes.io/controller-uid',
  'pod-template-generation',
  'pod-template-hash',
  'controller-revision-hash',
  'controller-uid',
  'annotation',
  'etcd_node',
] as const;

/** And those that contain this. */
const IRRELEVANT_PART = 'beta.kubernetes.io';

export function isRelevantLabel(key: string): boolean {
  return !IRRELEVANT_PREFIXES.some((prefix) => key.startsWith(prefix)) && !key.includes(IRRELEVANT_PART);
}

/** The labels of a pod that its identity is made of. The same object when that is all of them. */
export function relevantLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(labels);
  const relevant = entries.filter(([key]) => isRelevantLabel(key));
  return relevant.length === entries.length ? labels : Object.fromEntries(relevant);
}
