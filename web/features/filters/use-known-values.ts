import type { KnownValues } from '#core/filter/complete-token.ts';
import { sceneStore } from '../../live/map-client.ts';
import { statusStore } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';

/** Names that are on the map now, to be offered for filters. */
export function useKnownValues(): KnownValues {
  const cards = useStore(sceneStore)?.scene.cards ?? [];
  const nodes = useStore(statusStore)?.nodes ?? [];
  const workloads = cards.filter(({ kind }) => kind === 'workload');
  return {
    ns: distinct(workloads.map(({ namespace }) => namespace)),
    workload: distinct(workloads.map(({ namespace, name }) => `${namespace}/${name}`)),
    pod: distinct(workloads.map(({ namespace, name }) => `${namespace}/${name}`)),
    port: distinct(cards.flatMap(({ doors }) => doors.map(({ port }) => port))),
    node: nodes.map(({ name }) => name),
  };
}

function distinct(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}
