import { type ClusterObjects, isClusterScoped, type Kind } from '#runtime/cluster/objects.ts';
import type { ClusterProblem, ClusterSource } from '#runtime/cluster/source.ts';
import type { Visibility } from './visibility.ts';

/** What of the cluster's state some people may see: their namespaces with all that is in them, nodes, and what applies to all. */
export function visibleSource(source: ClusterSource, { namespaces }: Visibility): ClusterSource {
  const isVisible = <K extends Kind>(kind: K, { metadata }: ClusterObjects[K]): boolean =>
    namespaces.has(kind === 'Namespace' ? metadata.name : metadata.namespace) ||
    (kind !== 'Namespace' && isClusterScoped(kind));
  return {
    start: async () => {},
    stop: async () => {},
    list: (kind) => source.list(kind).filter((object) => isVisible(kind, object)),
    get(kind, namespace, name) {
      const object = source.get(kind, namespace, name);
      return object !== undefined && isVisible(kind, object) ? object : undefined;
    },
    onChange: (listener) =>
      source.onChange((change) => {
        const object = change.new ?? change.old;
        if (object !== undefined && isVisible(change.kind, object)) listener(change);
      }),
    // Their words name whatever cannot be read, wherever it is, and who may not: what is told is that it is so.
    problems: () => staleness(source.problems()),
  };
}

function staleness(problems: readonly ClusterProblem[]): ClusterProblem[] {
  const stale = problems.flatMap((problem) => problem.stale ?? []);
  if (stale.length === 0) return [];
  const message = 'nothing new can be read of it';
  const since = stale.flatMap(({ sinceMs }) => sinceMs ?? []);
  const sinceMs = since.length < stale.length ? undefined : Math.min(...since);
  return [{ subject: 'cluster state', message, stale: { sinceMs, reason: message } }];
}
