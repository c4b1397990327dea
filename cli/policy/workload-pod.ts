const WORKLOADS = ['Deployment', 'DaemonSet', 'StatefulSet', 'Job', 'ReplicaSet'];

/** The pod that a workload's template would make, under the workload's own name; undefined for what is no workload. */
export function podOfWorkload(value: unknown): object | undefined {
  const { kind, metadata, spec } = fields(value);
  if (typeof kind !== 'string') return undefined;
  if (kind === 'CronJob') return podOf(metadata, fields(fields(spec).jobTemplate).spec);
  return WORKLOADS.includes(kind) ? podOf(metadata, spec) : undefined;
}

function podOf(metadata: unknown, spec: unknown): object {
  const { name, namespace } = fields(metadata);
  const template = fields(fields(spec).template);
  return {
    kind: 'Pod',
    metadata: { ...fields(template.metadata), name, ...(namespace === undefined ? {} : { namespace }) },
    spec: template.spec,
  };
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
