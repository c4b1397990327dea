import type { ModelEdge } from './model.ts';

/** The cards that at most `hops` arrows, whichever way they point, lie between them and one of `from`; those included. */
export function neighbourhood(
  edges: Iterable<Pick<ModelEdge, 'source' | 'destination'>>,
  from: Iterable<string>,
  hops: number,
): Set<string> {
  const beside = new Map<string, string[]>();
  const append = (key: string, other: string) => {
    const others = beside.get(key);
    if (others === undefined) beside.set(key, [other]);
    else others.push(other);
  };
  for (const { source, destination } of edges) {
    append(source, destination);
    append(destination, source);
  }
  const reached = new Set(from);
  let front = [...reached];
  for (let hop = 0; hop < hops && front.length > 0; hop++) {
    const next: string[] = [];
    for (const key of front) {
      for (const other of beside.get(key) ?? []) {
        if (reached.has(other)) continue;
        reached.add(other);
        next.push(other);
      }
    }
    front = next;
  }
  return reached;
}
