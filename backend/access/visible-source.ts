import { type ClusterObjects, isClusterScoped, type Kind } from '#runtime/cluster/objects.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
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
    // Others name whatever cannot be read, wherever it is.
    problems: () => source.problems().filter(({ stale }) => stale !== undefined),
  };
}
